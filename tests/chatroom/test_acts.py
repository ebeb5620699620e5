"""Acts: what each changes, refuses and leaves behind. World restores the state after each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.act import KEY, LABEL, SECRET, ActCommand, Number, Text, Where
from chatroom.acts import ACTS
from chatroom.bounds import Limits
from chatroom.effects import Answer, End
from chatroom.events import EventKind
from chatroom.limits import MAX_LABEL, MAX_NUMBER, MAX_SECRET
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from chatroom.proposals import Act, Proposal, ProposalKind
from tests.chatroom.world import Visit, World, events
from tests.support.cases import case

PASSWORD, OTHER = "scrypt$14$8$1$00$11", "scrypt$14$8$1$00$22"
TOKEN, CODE = "0f" * 32, "c0de" * 16


@pytest.fixture
def world() -> World:
    """ann is person 1 and has an account, bob is person 2 and a guest."""
    world = World()
    world.act(world.enter("Ann"), "/register", PASSWORD)
    world.enter("bob")
    return world


ANN, BOB = Visit(1, "key1"), Visit(2, "key2")


def login(world: World, name: str, proof: str) -> Code:
    """What becomes of a login, which is not gone on with."""
    visit, given = world.ask(name, proof=proof)
    world.withdraw(visit)
    return given.code


def own(world: World, visit: Visit) -> None:
    """Make a member with an account owner, as the first start does."""
    world.own("", CODE)
    assert world.act(visit, "/owner", CODE).code is Code.OK


# --- who may ------------------------------------------------------------------------------------------------


def fitting(act: ActCommand) -> list[str | int]:
    """Arguments as the act takes them."""
    return [MAX_NUMBER if isinstance(kind, Number) else "ann" for kind in act.takes]


@pytest.mark.parametrize("role", [role for role in Role if any(role < act.needs for act in ACTS.values())])
def test_an_act_is_refused_to_those_without_its_role(world: World, role: Role) -> None:
    """Whatever stands in the table: who has a lower role is refused with the role's name. Nothing changes."""
    if role is Role.OPERATOR:
        owner = world.enter("zoe")
        world.act(owner, "/register", PASSWORD)
        own(world, owner)
        world.act(owner, "/op", "ann", channel="*")
    before = world.state.records()
    for name, act in ACTS.items():
        if role < act.needs:
            with case(name):
                outcome = Outcome(Code.NEED_ROLE, (name, act.needs.name.lower()))
                assert world.act(ANN, name, *fitting(act)) == outcome
                assert world.state.records() == before


def test_an_act_is_refused_to_those_without_an_account(world: World) -> None:
    """Whatever stands in the table: an act for members with an account is refused to a guest."""
    for name in [name for name, act in ACTS.items() if act.login]:
        with case(name):
            outcome = world.act(BOB, name, *fitting(ACTS[name]))
            assert outcome.code is (Code.NEED_ROLE if ACTS[name].needs > Role.MEMBER else Code.NEED_LOGIN)
            assert outcome.rows[0] == name


def test_roles_belong_to_accounts() -> None:
    """An act that needs a role of the whole chatroom needs a login, too; a guest may own a channel."""
    of_all = [act for act in ACTS.values() if act.where is Where.CHATROOM]
    assert all(act.login for act in of_all if act.needs > Role.MEMBER)
    assert any(act.needs is Role.OWNER for act in ACTS.values())


def bad_arguments(act: ActCommand) -> Iterator[list[str | int]]:
    """Too few, too many, of another type, too long."""
    good = fitting(act)
    bad: list[list[str | int]] = [good[:-1], [*good, "x"], []]
    for index, kind in enumerate(act.takes):
        values: tuple[str | int, ...] = (-1, MAX_NUMBER + 1, True, "1")
        if isinstance(kind, Text):
            values = (7, "ä" * kind.most, *([""] if kind.least else []))
        bad += [[*good[:index], value, *good[index + 1 :]] for value in values]
    return (each for each in bad if each != good)


def test_bad_arguments(world: World) -> None:
    """Too few, too many, of another type, too long: BAD_ARGUMENTS, and nothing changes."""
    own(world, ANN)
    before = world.state.records()
    for name, act in ACTS.items():
        for arguments in bad_arguments(act):
            with case((name, arguments)):
                assert world.act(ANN, name, *arguments) == Outcome(Code.BAD_ARGUMENTS)
                assert world.state.records() == before


def test_what_fits() -> None:
    """Texts are measured in bytes; a number is none below 0, and no truth value."""
    assert SECRET.takes("x" * MAX_SECRET) and not SECRET.takes("x" * (MAX_SECRET + 1))
    assert LABEL.takes("ä" * (MAX_LABEL // 2)) and not LABEL.takes("ä" * (MAX_LABEL // 2 + 1))
    assert not KEY.takes("\ud800") and not KEY.takes("") and Text(3, 0).takes("")
    assert Number().takes(0) and not Number(9).takes(10) and not Number().takes(True)


@given(
    st.sampled_from([*ACTS, "", "/nothing", "register"]),
    st.lists(st.text() | st.integers() | st.sampled_from(["ann", PASSWORD, CODE]), max_size=4).map(tuple),
)
def test_no_act_raises(name: str, arguments: tuple[str | int, ...]) -> None:
    """Whatever another server has put into an act: the entry can be applied, and is answered once."""
    world = World()
    ann = world.enter("ann")
    world.act(ann, "/register", PASSWORD)
    own(world, ann)
    applied = world.propose(ann.origin, ProposalKind.ACT, Act(name, "", arguments), 3)
    assert [one.request for one in applied.effects if isinstance(one, Answer)] == [3]


@pytest.mark.parametrize("name", ACTS)
def test_no_text_that_cannot_be_sent(name: str) -> None:
    """A text that is no UTF-8 would end the server when its event is sent, or its record stored."""
    act = ACTS[name]
    for index, kind in enumerate(act.takes):
        if isinstance(kind, Text):
            arguments = fitting(act)
            arguments[index] = "#\ud800"
            assert not act.fits(tuple(arguments))


def test_an_unknown_act(world: World) -> None:
    """An act of a newer version is refused by its name."""
    assert world.act(ANN, "/nothing") == Outcome(Code.NO_SUCH_COMMAND, ("/nothing",))


def test_who_is_not_here_acts_not(world: World) -> None:
    """The connection of a member that has left, was taken over or never came in changes nothing."""
    world.leave(BOB)
    coming, _ = world.ask("carl")
    for visit in (BOB, coming):
        act = Act("/register", "#general", (PASSWORD,))
        assert world.propose(visit.origin, ProposalKind.ACT, act) == ([], [], [])


# --- /register, /unregister ---------------------------------------------------------------------------------


def test_register(world: World) -> None:
    """/register makes the guest's name and person an account's; all who share a channel are told."""
    world.leave(BOB)
    bob, head = world.enter("Bob", "#general", "#quiet"), world.state.head
    assert world.act(bob, "/register", OTHER) == Outcome(Code.OK, ("Bob",))
    (event,) = world.log[head:]
    assert event[2:] == (EventKind.ACCOUNT, "", "Bob", "Bob", 0, 3, 0, b"", (1, 2))
    account = world.state.account_of(3)
    assert account is not None and (account.name, account.name_key) == ("Bob", "bob")
    assert world.state.secrets("bob") == ([OTHER], [account.network])
    world.leave(bob)
    assert login(world, "bob", OTHER) is Code.OK
    assert world.state.account_named("bob") is account


def test_register_twice(world: World) -> None:
    """Who has an account already keeps its password."""
    assert world.act(ANN, "/register", OTHER) == Outcome(Code.ALREADY, ("Ann",))
    assert world.state.secrets("ann")[0] == [PASSWORD]


def test_accounts_are_bounded() -> None:
    """Accounts in sum, and those from one network, are bounded; one that is given up makes room."""
    world = World(Limits(accounts=3, accounts_of_network=2))
    ann, bob, carl = (world.enter(name, address="192.0.2.1:1") for name in ("ann", "bob", "carl"))
    assert [world.act(visit, "/register", PASSWORD).code for visit in (ann, bob, carl)] == [
        Code.OK,
        Code.OK,
        Code.TOO_MANY,
    ]
    dave, eve = world.enter("dave"), world.enter("eve")
    assert [world.act(visit, "/register", PASSWORD).code for visit in (dave, eve)] == [Code.OK, Code.FULL]
    world.act(ann, "/unregister", PASSWORD)
    world.up()
    carl = world.enter("carl", known=carl.session, address="192.0.2.1:1")
    assert world.act(carl, "/register", PASSWORD).code is Code.OK


def test_unregister(world: World) -> None:
    """/unregister frees the name when the member has left; roles and codes are gone. The others are told."""
    own(world, ANN)
    world.act(ANN, "/code", "ann", "another code", world.time + 9)
    head = world.state.head
    assert world.act(ANN, "/unregister", PASSWORD) == Outcome(Code.OK, ("Ann",))
    listed, event = world.log[head:]
    assert (listed.kind, listed.target, listed.removed) == (EventKind.LISTED, 1, True)
    assert (event.kind, event.author, event.text, event.person) == (EventKind.ACCOUNT, "Ann", "", 1)
    assert world.state.account_of(1) is None and world.state.role(1, 0) is Role.MEMBER
    assert {record.kind for record in world.kept()}.isdisjoint({"account", "listed", "code"})
    assert world.ask("ann")[1].code is Code.NAME_TAKEN
    world.leave(ANN)
    assert world.enter("ann") and world.state.members[3].name == "ann"


def test_unregister_needs_the_password(world: World) -> None:
    """Whoever sits at a program that is logged in cannot give the name away; neither can a device."""
    world.act(ANN, "/device", TOKEN, "laptop")
    for secret in (OTHER, TOKEN, "x"):
        assert world.act(ANN, "/unregister", secret) == Outcome(Code.BAD_PASSWORD)


def test_an_account_in_counted_channels_only() -> None:
    """Where nobody is told who comes and goes, nobody is told of accounts."""
    world = World(Limits(counted_from=1))
    ann, _ = world.enter("ann"), world.enter("bob")
    head = world.state.head
    assert world.act(ann, "/register", PASSWORD).code is Code.OK and world.state.head == head


# --- /passwd, /recover --------------------------------------------------------------------------------------


def test_passwd(world: World) -> None:
    """/passwd lets in only who knows the new password: devices and other programs are out, this one stays."""
    phone = world.enter("ann", proof=PASSWORD)
    world.act(phone, "/device", TOKEN, "phone")
    absent = world.enter("ann", proof=TOKEN)
    world.say(absent, 1)
    world.leave(absent)
    coming, _ = world.ask("ann", proof=PASSWORD)
    head = world.state.head
    assert world.act(ANN, "/passwd", PASSWORD, OTHER) == Outcome(Code.OK, ("Ann",))
    assert world.effects == [End(world.origin(phone.origin), Code.EXPIRED)]
    assert world.state.head == head and events(world.say(ANN, 5))
    assert [world.phase(visit) for visit in (ANN, phone, absent, coming)] == ["here", *3 * ["forgotten"]]
    assert [login(world, "ann", proof) for proof in (PASSWORD, TOKEN, OTHER)] == [
        Code.BAD_PASSWORD,
        Code.BAD_PASSWORD,
        Code.OK,
    ]
    assert world.ask("ann", absent.session)[1].code is Code.NEED_LOGIN


def test_passwd_only_while_the_old_one_counts(world: World) -> None:
    """Of two changes at once the second is refused: it was checked against a password that is gone."""
    first, second = (Act("/passwd", "", (PASSWORD, secret)) for secret in (OTHER, "third"))
    applied = world.apply(*(Proposal(1, 0, ProposalKind.ACT, act) for act in (first, second)))
    answers = [effect.outcome.code for effect in applied.effects if isinstance(effect, Answer)]
    assert answers == [Code.OK, Code.BAD_PASSWORD] and world.state.secrets("ann")[0] == [OTHER]


def test_a_device_is_no_old_password(world: World) -> None:
    """Who only has a device cannot set the password."""
    world.act(ANN, "/device", TOKEN, "laptop")
    assert world.act(ANN, "/passwd", TOKEN, OTHER) == Outcome(Code.BAD_PASSWORD)


def test_recover(world: World) -> None:
    """With a code, a guest sets the password of an account; whoever was logged in is out, with a QUIT."""
    own(world, ANN)
    assert world.act(ANN, "/code", "ann", "c", world.time + 10_000) == Outcome(
        Code.OK, ("Ann", world.time + 10_000)
    )
    assert world.act(BOB, "/recover", "ann", "c", OTHER) == Outcome(Code.OK, ("Ann",))
    assert world.effects == [End(world.origin(ANN.origin), Code.EXPIRED)]
    assert (world.log[-1].kind, world.log[-1].author) == (EventKind.QUIT, "Ann")
    assert [login(world, "ann", proof) for proof in (PASSWORD, OTHER)] == [Code.BAD_PASSWORD, Code.OK]
    assert world.act(BOB, "/recover", "ann", "c", PASSWORD) == Outcome(Code.BAD_PASSWORD)  # it works once
    assert world.state.role(1, 0) is Role.OWNER


def test_recover_ones_own(world: World) -> None:
    """Who is still logged in may use a code, too; its own program stays."""
    own(world, ANN)
    world.act(ANN, "/device", TOKEN, "laptop")
    world.act(ANN, "/code", "ann", "c", world.time + 10_000)
    assert world.act(ANN, "/recover", "ann", "c", OTHER).code is Code.OK and not world.effects
    assert [session.device for session in world.state.sessions_of(1)] == [""]


def test_recover_another_account(world: World) -> None:
    """Who helps with another account's password stays remembered for its own."""
    world.act(BOB, "/register", PASSWORD)
    world.act(ANN, "/device", TOKEN, "laptop")
    world.own("bob", CODE)
    assert world.act(ANN, "/recover", "bob", CODE, OTHER).code is Code.OK
    assert world.state.sessions_of(1)[0].device == TOKEN


def test_a_wrong_code_tells_nothing(world: World) -> None:
    """Wrong, expired, for another name, no such account: one answer, so nobody learns which it was."""
    own(world, ANN)
    world.act(ANN, "/code", "ann", "c", world.time + 10_000)
    for name, code in (("ann", "d"), ("nobody", "c"), ("bob", "c"), ("ann", CODE)):
        assert world.act(BOB, "/recover", name, code, OTHER) == Outcome(Code.BAD_PASSWORD)
    world.tick(10)
    assert world.act(BOB, "/recover", "ann", "c", OTHER) == Outcome(Code.BAD_PASSWORD)


def test_a_kept_name_gets_its_password(world: World) -> None:
    """The code of --owner sets the first password of a name that is kept; its person is the owner."""
    world.own("teacher", CODE)
    assert world.act(BOB, "/recover", "teacher", CODE, OTHER) == Outcome(Code.OK, ("teacher",))
    assert world.enter("Teacher", proof=OTHER) and world.state.members[3].name == "teacher"
    assert world.state.role(3, 0) is Role.OWNER


# --- /device, /sessions end ---------------------------------------------------------------------------------


def test_device(world: World) -> None:
    """/device remembers a program: its token opens the account; the answer names the account."""
    assert world.act(ANN, "/device", TOKEN, "laptop") == Outcome(Code.OK, ("Ann",))
    assert login(world, "ann", TOKEN) is Code.OK
    account = world.state.account_of(1)
    assert account is not None and account.device(TOKEN) == "laptop" and account.device("x") == ""
    assert world.act(ANN, "/device", TOKEN, "again") == Outcome(Code.ALREADY)


def test_a_program_is_one_device(world: World) -> None:
    """A program that is remembered again has its new token only."""
    world.act(ANN, "/device", TOKEN, "laptop")
    world.act(ANN, "/device", "new", "laptop")
    assert [login(world, "ann", proof) for proof in (TOKEN, "new")] == [Code.BAD_PASSWORD, Code.OK]


def test_devices_are_bounded() -> None:
    """One device too many forgets the one that was not used for the longest time."""
    world = World(Limits(devices=2))
    ann = world.enter("ann")
    world.act(ann, "/register", PASSWORD)
    for number in (1, 2):
        world.time += 10
        world.act(world.enter("ann", proof=PASSWORD), "/device", f"token {number}", "x")
    world.time += 10
    assert login(world, "ann", "token 1") is Code.OK
    world.act(world.enter("ann", proof=PASSWORD), "/device", "token 3", "x")
    codes = {number: login(world, "ann", f"token {number}") for number in (1, 2, 3)}
    assert codes == {1: Code.OK, 2: Code.BAD_PASSWORD, 3: Code.OK}


def test_end_a_session(world: World) -> None:
    """/sessions end ends one's own program for good: its token and its device open nothing any more."""
    phone = world.enter("ann", proof=PASSWORD)
    world.act(phone, "/device", TOKEN, "phone")
    assert world.act(ANN, "/sessions end", 2) == Outcome(Code.OK, (2,))
    assert world.effects == [End(world.origin(phone.origin), Code.EXPIRED)]
    assert world.ask("ann", phone.session)[1].code is Code.NEED_LOGIN
    assert [login(world, "ann", proof) for proof in (TOKEN, PASSWORD)] == [Code.BAD_PASSWORD, Code.OK]


@pytest.mark.parametrize("number", [0, 1, 2, 77])
def test_only_others_of_ones_own_are_ended(world: World, number: int) -> None:
    """Nobody ends the program at which it sits, or one of somebody else."""
    assert world.act(ANN, "/sessions end", number) == Outcome(Code.BAD_ARGUMENTS, (number,))
    assert world.phase(BOB) == "here"


def test_a_guest_ends_its_other_program(world: World) -> None:
    """Who has given up its account still ends its programs."""
    phone = world.enter("ann", proof=PASSWORD)
    world.act(ANN, "/unregister", PASSWORD)
    assert world.act(phone, "/sessions end", 1).code is Code.OK and world.phase(ANN) == "forgotten"


# --- owner, operators ---------------------------------------------------------------------------------------


def test_owner(world: World) -> None:
    """The code of the first start makes an account owner, once."""
    world.own("", CODE)
    assert not world.state.has_owner
    assert world.act(ANN, "/owner", "x") == Outcome(Code.BAD_PASSWORD)
    assert world.act(ANN, "/owner", CODE) == Outcome(Code.OK)
    assert world.state.has_owner and world.state.role(1, 0) is world.state.role(1, 1) is Role.OWNER
    assert world.act(ANN, "/owner", CODE) == Outcome(Code.BAD_PASSWORD)
    world.own("", CODE)  # there is an owner
    assert [record for record in world.kept() if record.kind == "code"] == []


def test_the_code_of_the_first_start_expires(world: World) -> None:
    """A later start writes another code, and the earlier one is worth nothing; so is one that has expired."""
    world.own("", CODE)
    world.own("", "second", seconds=5)
    assert world.act(ANN, "/owner", CODE) == Outcome(Code.BAD_PASSWORD)
    world.tick(5)
    assert world.act(ANN, "/owner", "second") == Outcome(Code.BAD_PASSWORD)


def test_a_code_of_a_clock_that_was_ahead(world: World) -> None:
    """A code that was made in the future counts for nothing when the clock is right again."""
    world.time += 10**9
    world.own("", CODE)
    world.time -= 10**9
    assert world.act(ANN, "/owner", CODE) == Outcome(Code.BAD_PASSWORD)


def roles_told(world: World) -> list[tuple[int, str, str, bool, int]]:
    """Of each LISTED: place, author, name, whether somebody was taken off, person."""
    found = [event for event in world.log if event.kind is EventKind.LISTED]
    return [(one.place, one.author, one.target_name, one.removed, one.target) for one in found]


def test_all_are_told_who_owns_the_chatroom(world: World) -> None:
    """By a code, by that of --owner, by name, and until the account ends: each change is one LISTED."""
    own(world, ANN)
    assert roles_told(world) == [(0, "", "Ann", False, 1)]
    world.own("ann", "again")
    assert world.act(ANN, "/owner", "again") == Outcome(Code.OK)
    assert len(roles_told(world)) == 1  # that was known
    world.own("carla")
    person = world.state.account_named("carla")
    assert person is not None and roles_told(world)[1:] == [(0, "", "carla", False, person.person)]
    world.own("carla")
    assert len(roles_told(world)) == 2
    assert world.act(ANN, "/unregister", PASSWORD).code is Code.OK
    assert roles_told(world)[2:] == [(0, "", "Ann", True, 1)]


def test_all_are_told_of_an_owner_by_a_new_password(world: World) -> None:
    """The code of --owner makes its account owner also when it sets a lost password."""
    world.own("ann", CODE)
    assert roles_told(world) == []
    assert world.act(BOB, "/recover", "ann", CODE, OTHER).code is Code.OK
    assert roles_told(world) == [(0, "", "Ann", False, 1)]


def test_whoever_runs_the_server_names_the_owner(world: World) -> None:
    """The code of --owner sets a lost password, and with it the account becomes owner: not before, because a
    stranger may have registered the name."""
    applied = world.own("ANN", CODE)
    assert applied.happened == [] and world.state.role(1, 0) is Role.MEMBER
    assert world.act(BOB, "/recover", "ann", CODE, OTHER).code is Code.OK
    assert world.state.role(1, 0) is Role.OWNER
    assert world.own("ann").records == []


def test_the_named_owner_is_logged_in(world: World) -> None:
    """Who is logged in to the named account becomes owner with /owner, and keeps the password."""
    world.act(world.enter("zoe"), "/register", PASSWORD)
    world.own("ann", CODE)
    assert world.act(BOB, "/owner", CODE).code is Code.NEED_LOGIN
    assert world.act(ANN, "/owner", CODE) == Outcome(Code.OK) and world.state.role(1, 0) is Role.OWNER
    assert world.act(ANN, "/owner", CODE) == Outcome(Code.BAD_PASSWORD)
    assert login(world, "ann", PASSWORD) is Code.OK


def test_an_owner_s_code_for_a_member_makes_no_owner(world: World) -> None:
    """A code of /code sets a password, and gives no role."""
    own(world, ANN)
    world.act(BOB, "/register", PASSWORD)
    world.act(ANN, "/code", "bob", "c", world.time + 60_000)
    assert world.act(BOB, "/owner", "c") == Outcome(Code.BAD_PASSWORD)
    assert world.act(BOB, "/recover", "bob", "c", OTHER).code is Code.OK
    assert world.state.role(2, 0) is Role.MEMBER


def test_a_code_for_a_password_makes_no_owner(world: World) -> None:
    """A code for /recover opens no rights, and the code of the first start no account."""
    own(world, ANN)
    world.act(ANN, "/unregister", PASSWORD)
    world.act(BOB, "/register", PASSWORD)
    world.own("", CODE)
    assert world.act(BOB, "/recover", "bob", CODE, OTHER) == Outcome(Code.BAD_PASSWORD)
    world.own("zoe", "c")
    assert world.act(BOB, "/owner", "c") == Outcome(Code.BAD_PASSWORD)


def test_code(world: World) -> None:
    """/code is for accounts only; a newer code for the same account replaces the one before."""
    own(world, ANN)
    later = world.time + 60_000
    assert world.act(ANN, "/code", "bob", "c", later) == Outcome(Code.NO_SUCH_NAME, ("bob",))
    world.act(ANN, "/code", "ann", "c", later), world.act(ANN, "/code", "ann", "d", later)
    assert world.act(BOB, "/recover", "ann", "c", OTHER) == Outcome(Code.BAD_PASSWORD)
    assert world.act(BOB, "/recover", "ann", "d", OTHER).code is Code.OK


def test_op_and_deop(world: World) -> None:
    """The owner makes accounts operators of all, and takes it back; an owner stays owner."""
    own(world, ANN)

    def op(visit: Visit, name: str, command: str = "/op") -> Outcome:
        return world.act(visit, command, name, channel="*")

    assert op(ANN, "bob") == Outcome(Code.NO_SUCH_NAME, ("bob",))  # a guest
    world.act(BOB, "/register", OTHER)
    assert op(ANN, "bob") == Outcome(Code.OK, ("bob", "*"))
    assert world.state.role(2, 0) is Role.OPERATOR
    assert op(ANN, "bob") == Outcome(Code.ALREADY, ("bob", "*"))
    assert op(BOB, "bob") == Outcome(Code.NEED_ROLE, ("/op", "owner"))
    assert op(ANN, "ann").code is Code.OK and world.state.role(1, 0) is Role.OWNER
    for name in ("bob", "ann"):
        assert op(ANN, name, "/deop").code is Code.OK
        assert op(ANN, name, "/deop").code is Code.ALREADY
    assert op(ANN, "nobody", "/deop") == Outcome(Code.NO_SUCH_NAME, ("nobody",))
    assert [world.state.role(person, 0) for person in (1, 2)] == [Role.OWNER, Role.MEMBER]


def test_rights_outlive_a_visit(world: World) -> None:
    """A role belongs to the person of the account: it is there again at the next login, after a start."""
    own(world, ANN)
    world.leave(ANN)
    world.up()
    world.enter("ann", proof=PASSWORD)
    assert world.state.role(1, 0) is Role.OWNER
