"""Rights: roles of persons, and one-time codes."""

from __future__ import annotations

from chatroom.bounds import Limits
from chatroom.codes import ANY_ACCOUNT, Codes
from chatroom.events import BAN_LIST, EXEMPT_LIST, INVITED_LIST, MUTE_LIST
from chatroom.ledger import Ledger
from chatroom.masks import name_mask, network_mask
from chatroom.outcomes import Code
from chatroom.packets import Role
from chatroom.places import WHOLE_CHATROOM
from chatroom.records import Record
from chatroom.rights import Rights


def stored(ledger: Ledger) -> dict[str, str | None]:
    """The records that were changed since the last call: key and value."""
    return {record.key: record.value for record in ledger.take().records}


def test_the_highest_role_counts() -> None:
    """A person may be on several lists; each is given and taken by itself."""
    ledger = Ledger()
    ledger.time = 5
    rights = Rights(ledger, Limits())
    assert rights.role(7) is Role.MEMBER and not rights.has_owner
    assert rights.give(7, Role.OPERATOR, 3) and rights.give(7, Role.OWNER, 0)
    assert not rights.give(7, Role.OWNER, 9)
    assert rights.role(7) is Role.OWNER and rights.has_owner
    assert stored(ledger) == {
        "0 operator 7": '{"by":3,"when":5}',
        "0 owner 7": '{"by":0,"when":5}',
    }
    assert rights.take(7, Role.OWNER) and not rights.take(7, Role.OWNER)
    assert rights.role(7) is Role.OPERATOR and stored(ledger) == {"0 owner 7": None}
    assert rights.take(7, Role.OPERATOR) and rights.records() == []


def test_roles_are_restored() -> None:
    """A start knows who has which role, by whom and since when."""
    rights = Rights(Ledger(), Limits())
    rights.give(7, Role.OPERATOR, 3), rights.give(8, Role.OWNER, 0)
    again = Rights(Ledger(), Limits())
    for record in rights.records():
        again.restore(record)
    assert sorted(again.records()) == sorted(rights.records())
    assert (again.role(7), again.role(8)) == (Role.OPERATOR, Role.OWNER)


def test_the_role_in_a_place() -> None:
    """A list of a place counts there, one of the whole chatroom everywhere; to be invited is no role."""
    rights = Rights(Ledger(), Limits())
    rights.give(7, Role.VOICE, 3, 2), rights.give(7, INVITED_LIST, 3, 5), rights.give(8, Role.OPERATOR, 0)
    assert [rights.role(7, place) for place in (0, 2, 5)] == [Role.MEMBER, Role.VOICE, Role.MEMBER]
    assert rights.has(7, INVITED_LIST, 5) and not rights.has(7, INVITED_LIST, 2)
    assert [rights.role(8, place) for place in (0, 2, 5)] == 3 * [Role.OPERATOR]
    rights.give(8, Role.VOICE, 3, 2)
    assert rights.role(8, 2) is Role.OPERATOR and not rights.has(8, Role.OPERATOR, 2)


def test_the_end_of_a_place_and_of_a_person() -> None:
    """With a place its lists go, with a person what it is on; the places that it has owned are told."""
    ledger = Ledger()
    rights = Rights(ledger, Limits())
    for person, list, place in (
        (7, Role.OWNER, 2),
        (7, Role.OWNER, 3),
        (7, Role.VOICE, 4),
        (8, Role.OWNER, 2),
    ):
        rights.give(person, list, 7, place)
    ledger.take()
    assert rights.owners(2) == [7, 8] and rights.forget(9) == []
    rights.end(3)
    assert stored(ledger) == {"3 owner 7": None}
    assert rights.forget(7) == [2] and rights.owners(2) == [8]
    assert stored(ledger) == {"2 owner 7": None, "4 voice 7": None}
    assert [record.key for record in rights.records()] == ["2 owner 8"]


def test_lists_are_bounded() -> None:
    """So many persons on the lists of one place, and so many in sum; who is taken off makes room."""
    rights = Rights(Ledger(), Limits(listed=3, listed_of_place=2))
    rights.give(7, Role.VOICE, 1, 2), rights.give(8, INVITED_LIST, 1, 2)
    assert rights.refusal(2) is Code.TOO_MANY and rights.refusal(3) is None
    rights.give(7, Role.VOICE, 1, 3)
    assert rights.refusal(3) is Code.FULL
    rights.take(7, Role.VOICE, 2)
    assert rights.refusal(2) is rights.refusal(3) is None


def test_channels_leave_room_for_the_whole_chatroom() -> None:
    """Everybody can found channels and fill their lists: operators ban and mute nevertheless."""
    rights = Rights(Ledger(), Limits(listed=3, listed_of_place=2))
    for place in (1, 2, 3):
        rights.give(place, Role.VOICE, 0, place)
    assert rights.refusal(4) is Code.FULL
    assert rights.refusal(WHOLE_CHATROOM) is None
    rights.give(1, BAN_LIST, 0), rights.give(2, BAN_LIST, 0)
    assert rights.refusal(WHOLE_CHATROOM) is Code.TOO_MANY


def test_a_code_counts_for_its_name_and_its_time() -> None:
    """A code is right from when it was made until it expires, for its name only."""
    ledger = Ledger()
    ledger.time = 100
    codes = Codes(ledger)
    codes.make("secret", "ann", 200, 3)
    assert stored(ledger) == {"secret": '{"for":"ann","made":100,"until":200,"by":3}'}
    for time, right in ((99, False), (100, True), (199, True), (200, False)):
        ledger.time = time
        assert codes.is_right("secret", "ann") is right
    ledger.time = 150
    assert not codes.is_right("secret", ANY_ACCOUNT) and not codes.is_right("Secret", "ann")
    codes.drop("ann"), codes.drop("ann")
    assert stored(ledger) == {"secret": None} and not codes.is_right("secret", "ann")


def test_one_code_for_each_name() -> None:
    """A later code replaces the earlier one of its name, and an equal one of another name."""
    codes = Codes(Ledger())
    codes.make("a", "ann", 9, 0), codes.make("b", "ann", 9, 0), codes.make("b", "bob", 9, 0)
    assert [record.key for record in codes.records()] == ["b"]
    assert codes.is_right("b", "bob") and not codes.is_right("b", "ann")
    codes.make("b", "bob", 99, 0)
    again = Codes(Ledger())
    for record in codes.records():
        again.restore(record)
    assert (
        again.records()
        == codes.records()
        == [Record("code", "b", '{"for":"bob","made":0,"until":99,"by":0}')]
    )


def test_whom_an_entry_means() -> None:
    """A person, a name or a network, of the place or of the chatroom; nobody exempt, and no operator."""
    rights = Rights(Ledger(), Limits())

    def banned(person: int, name: str = "x", network: str = "192.0.2.7", place: int = 4) -> bool:
        return rights.hits(BAN_LIST, place, person, name, network) is not None

    assert not banned(7)
    rights.give(7, BAN_LIST, 3, 4), rights.give(name_mask("eve"), BAN_LIST, 3, 4)
    rights.give(network_mask("198.51.100.0/24"), BAN_LIST, 3)
    assert banned(7) and banned(0, "eve") and banned(0, network="198.51.100.9")
    assert banned(0, network="198.51.100.9", place=5) and not banned(7, place=5) and not banned(8, "eva")
    assert rights.hits(MUTE_LIST, 4, 7, "x", "192.0.2.7") is None
    rights.give(9, Role.OPERATOR, 3, 4)
    assert banned(9, network="198.51.100.9") and not banned(9, "eve")
    rights.give(9, Role.OPERATOR, 3)
    assert not banned(9, network="198.51.100.9") and not banned(9, network="198.51.100.9", place=5)
    rights.give(name_mask("eve"), EXEMPT_LIST, 3, 4)
    assert not banned(0, "eve") and banned(0, "eve", "198.51.100.9")
    rights.give(name_mask("eve"), EXEMPT_LIST, 3)
    assert not banned(0, "eve") and not banned(0, "eve", "198.51.100.9") and banned(7)
    assert rights.take(network_mask("198.51.100.0/24"), BAN_LIST) and not banned(0, network="198.51.100.9")


def test_an_entry_ends() -> None:
    """It counts until its time, a tick takes it off; a later entry for the same takes its place."""
    ledger = Ledger()
    ledger.time = 1_000
    rights = Rights(ledger, Limits())
    assert rights.give(7, MUTE_LIST, 3, 4, until=2_000, reason="loud")
    assert not rights.give(7, MUTE_LIST, 3, 4, until=2_000, reason="loud")
    assert rights.give(7, MUTE_LIST, 3, 4, until=3_000) and rights.give(8, MUTE_LIST, 3, 4, until=2_000)
    ledger.time = 2_000
    assert rights.hits(MUTE_LIST, 4, 7, "", "") and not rights.hits(MUTE_LIST, 4, 8, "", "")
    assert [one.whom for one in rights.entries(4, MUTE_LIST)] == [7]
    ledger.take()
    rights.end_expired()
    assert stored(ledger) == {"4 mute 8": None}
    again = Rights(ledger, Limits())
    for record in rights.records():
        again.restore(record)
    assert again.records() == rights.records()
    ledger.time = 3_000
    again.end_expired()
    assert again.records() == []


def test_masks_are_restored() -> None:
    """With all that an entry says."""
    rights = Rights(Ledger(), Limits())
    rights.give(name_mask("big bob"), BAN_LIST, 3, 4, 9, "Big Bob", "spam")
    rights.give(network_mask("2001:db8::/64"), BAN_LIST, 3, typed="+bob")
    again = Rights(Ledger(), Limits())
    for record in rights.records():
        again.restore(record)
    assert sorted(again.records()) == sorted(rights.records())
    assert again.hits(BAN_LIST, 4, 0, "", "2001:db8::/64")


def test_entries_that_are_renewed_again_and_again_take_no_memory() -> None:
    """The agenda stays about as long as there are entries."""
    rights = Rights(Ledger(), Limits())
    for until in range(1, 10_000):
        rights.give(7, MUTE_LIST, 3, 4, until)
    assert len(rights._ending) < 200
