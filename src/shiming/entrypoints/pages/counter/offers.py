"""What a counter can open today, for whom: read from the rules, named in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from shiming.jurisdictions.explanations import labels
from shiming.jurisdictions.model import Channel, HolderKind, Policy, ProductClass, ProxyAllowed
from shiming.registrations.model.lines import LineKind
from shiming.registrations.rules.holder import KINDS
from shiming.vocabulary.errors import Text

PROXY, ORGANISATION = "proxy", "organisation"
CHANNELS = (Channel.SHOP, Channel.AGENT)  # where staff stand; online has pages of its own
_KIND_WORDS = {
    LineKind.MOBILE: Text(zh="手机", en="mobile"),
    LineKind.DATA_CARD: Text(zh="数据卡", en="data card"),
    LineKind.FIXED: Text(zh="固定", en="fixed"),
    LineKind.INTERNET: Text(zh="互联网", en="internet"),
}
_PROXY_WORDS = Text(zh="他人代办", en="Somebody else, through a proxy")
_ORGANISATION_WORDS = Text(zh="单位", en="An organisation")
_ADULT = "adult"


@dataclass(frozen=True, slots=True)
class Offer:
    """A class of product on one kind of line."""

    product: ProductClass
    kind: LineKind
    words: Text
    has_sim: bool
    has_place: bool
    has_number: bool

    @property
    def code(self) -> str:
        """Its name in forms."""
        return f"{self.product.value}.{self.kind.value}"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who a line is for: a category of person, a person through a proxy, or an organisation."""

    code: str
    category: str
    words: Text

    @property
    def acted_for(self) -> bool:
        """Whether somebody else stands at the counter."""
        return self.code in {PROXY, ORGANISATION}


def offers_of(policy: Policy, channel: Channel) -> tuple[Offer, ...]:
    """Return what is sold in a channel, what is asked for most comes first."""
    return tuple(_offers(policy, channel))


def holders_of(policy: Policy, offer: Offer) -> tuple[Holder, ...]:
    """Return who may hold such a line, adults first."""
    kinds = policy.products[offer.product].holders.value
    found: list[Holder] = []
    if HolderKind.PERSON in kinds:
        categories = sorted(policy.documents, key=lambda category: category != _ADULT)
        found += [Holder(category, category, name_of(policy, category)) for category in categories]
        if policy.proxies.allowed.value is ProxyAllowed.ALL:
            found.append(Holder(PROXY, categories[0], _PROXY_WORDS))
    if HolderKind.ORGANISATION in kinds:
        found.append(Holder(ORGANISATION, _ADULT, _ORGANISATION_WORDS))
    return tuple(found)


def name_of(policy: Policy, name: str) -> Text:
    """Return a name of the pack in words."""
    wording = policy.names.get(name)
    return Text(zh=wording.zh, en=wording.en) if wording else Text(zh=name, en=name)


def term(code: str) -> Text:
    """Return a term of the program in words, such as `Channel.shop`."""
    wording = labels().terms[code]
    return Text(zh=wording.zh, en=wording.en)


def channel_words() -> tuple[tuple[str, Text], ...]:
    """Return where staff stand, in words."""
    return tuple((channel.value, term(f"Channel.{channel.value}")) for channel in CHANNELS)


def product_words(product: ProductClass) -> Text:
    """Return what is opened, in words."""
    return term(f"ProductClass.{product.value}")


def _offers(policy: Policy, channel: Channel) -> Iterator[Offer]:
    for product in ProductClass:
        rules = policy.products.get(product)
        if rules is None or channel not in rules.channels.value:
            continue
        kinds = sorted(KINDS[product], key=list(LineKind).index)
        for kind in kinds:
            words = product_words(product)
            if len(kinds) > 1:
                of = _KIND_WORDS[kind]
                words = Text(zh=f"{words.zh}（{of.zh}）", en=f"{words.en} ({of.en})")
            yield Offer(
                product,
                kind,
                words,
                has_sim=kind.has_sim,
                has_place=kind.has_place,
                has_number=kind is not LineKind.INTERNET,
            )
