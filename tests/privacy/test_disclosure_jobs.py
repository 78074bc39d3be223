from datetime import timedelta
from pathlib import Path

from shiming.privacy.disclosure_jobs import expire_disclosures, forget_old_accesses
from shiming.privacy.rules.disclosure import Disclosure
from tests.privacy.builders import a_retention_policy
from tests.privacy.disclosure_builders import FIRST, NOW
from tests.privacy.disclosure_desk import a_desk


def test_jobs_end_what_is_over_and_leave_the_rest(tmp_path: Path, database_url: str) -> None:
    with a_desk(tmp_path, database_url) as desk:
        ref = desk.put()
        desk.execute(desk.approved(ref))
        overdue = [desk.asked(ref) for _ in range(3)]
        late = NOW + timedelta(hours=72)
        vault = desk.vault
        assert expire_disclosures(vault.tools, vault.engine, now=late - timedelta(seconds=1)) == 0
        assert expire_disclosures(vault.tools, vault.engine, now=late) == len(overdue)
        assert expire_disclosures(vault.tools, vault.engine, now=late) == 0
        assert not isinstance(desk.approve(overdue[0], by=FIRST), Disclosure)
        assert forget_old_accesses(vault.engine, a_retention_policy(), now=late) == 0
        much_later = NOW.replace(year=NOW.year + 4)
        assert forget_old_accesses(vault.engine, a_retention_policy(), now=much_later) == 1
        assert forget_old_accesses(vault.engine, a_retention_policy(), now=much_later) == 0
