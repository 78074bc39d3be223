r"""Machine readable zones of travel documents, ICAO Doc 9303 parts 3 to 7: TD1, TD2, TD3, MRV-A, MRV-B.

The front door of the folder: `parse`, `compose` and `MachineReadableZone` (the only names re-exported
here, so that the concept is one module for its users).

>>> from datetime import date
>>> zone = parse(["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
...               "L898902C36UT07408I22F1204159ZE184226B<<<<<10"], today=date(2026, 11, 22))
>>> zone
MachineReadableZone(TD3 P UTO L******C3 A*** M**** E*******, valid)
>>> zone.surname, zone.given_names, zone.nationality, zone.sex
('ERIKSSON', 'ANNA MARIA', 'UTO', 'female')
>>> zone.birth_date, zone.optional_data, [repair.proof for repair in zone.repairs]
(datetime.date(1974, 8, 12), 'ZE184226B', ['alphabet', 'check_digit'])
>>> print("\n".join(compose(
...     "TD2", document_code="I", issuing_state="UTO", surname="Eriksson", given_names="Anna Maria",
...     document_number="D23145890", nationality="UTO", birth_date=date(1974, 8, 12), sex="female",
...     expiry_date=date(2012, 4, 15))))
I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<
D231458907UTO7408122F1204159<<<<<<<6
"""

from shiming.vocabulary.machine_readable_zone.composing import compose
from shiming.vocabulary.machine_readable_zone.model import MachineReadableZone
from shiming.vocabulary.machine_readable_zone.parsing import parse

__all__ = ["MachineReadableZone", "compose", "parse"]
