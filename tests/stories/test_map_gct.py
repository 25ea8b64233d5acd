"""Names to accounts beside the Toolkit's own library: ten thousand generated
lines and ten thousand names, asked of it, of our reader and of our index."""

import pathlib
import random
import subprocess

import pytest

from signet_site import BUILD

FILES = 200
LINES = 50

# What names are made of, hostile and harmless.
PIECES = ["a", "Alice", "b c", "x  y", "host/a.org", "O'Neil", "M\u00fcller",
          "#1", "q\"q", "back\\slash", "a,b", "a+b", "x/E=y@z", "x/CN=root",
          "*", "%41", "Robot: 5", "e=f", "\x7f", "1" * 60]
TYPES = ["CN", "cn", "O", "OU", "UID", "USERID", "userid", "E", "e", "Email",
         "emailAddress", "EMAILADDRESS", "DC", "dc", "L"]
ACCOUNTS = ["alice", "bob", "shared", "Shared", "u1", "a.b", "x-y", "z@r",
            "#", "c\u00e9", "\"q\"", "user\r"]


class Asked:
    """A peer that answers from a map file, a line for a line."""

    def __init__(self, program):
        self.process = subprocess.Popen(
            [BUILD / "tests" / program], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)

    def ask(self, questions):
        """The answers: None for "no"."""
        answers = []
        # Few at once, so that not both pipes fill while both sides write.
        step = 20 if max(map(len, questions), default=0) < 1000 else 1
        for at in range(0, len(questions), step):
            part = questions[at:at + step]
            self.process.stdin.write(b"".join(q + b"\n" for q in part))
            self.process.stdin.flush()
            for question in part:
                line = self.process.stdout.readline()
                assert line.endswith(b"\n"), question[:99]
                answers.append(line[1:-1] if line[:1] == b"+" else None)
        return answers

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(timeout=30) == 0


@pytest.fixture
def asked():
    running = []

    def start(program, mode=None):
        peer = Asked(program)
        running.append(peer)
        if mode:
            assert peer.ask([b"mode\t" + mode.encode()]) == [b""]
        return peer
    yield start
    for peer in running:
        if peer.process.poll() is None:
            peer.end()


def a_name(rng):
    """A name as a certificate's reader would print it, or nearly."""
    return "".join(f"/{rng.choice(TYPES)}={rng.choice(PIECES)}"
                   for _ in range(rng.randint(1, 3)))


def spelled(rng, name):
    """The bytes of ${name} in a map file, in one of many ways."""
    quoted = rng.random() < 0.8
    out = b""
    for byte in name.encode():
        char = bytes([byte])
        dice = rng.random()
        if dice < 0.03:
            out += b"\\x%02x" % byte
        elif dice < 0.05:
            out += b"\\" + char
        elif char in b"\"\\" and dice < 0.9:
            out += b"\\" + char
        elif dice < 0.055:
            out += b"\\x" + char
        else:
            out += char
    if not quoted:
        return out
    return b'"' + out + (b'"' if rng.random() < 0.97 else b"")


def a_line(rng, name):
    if rng.random() < 0.03:
        return rng.choice([b"", b"   ", b"# a comment", b"\t# x y", b"lone",
                           b'"unclosed', b'"closed"', b"\\", b",", b"x,y z"])
    blank = rng.choice([b" ", b" ", b" ", b"\t", b"  \t", b"", b","])
    words = [rng.choice(ACCOUNTS).encode() for _ in range(rng.randint(0, 4))]
    divider = rng.choice([b",", b",", b" ", b", ", b",,", b"\t"])
    before = rng.choice([b"", b"", b"", b" ", b"\t"])
    after = rng.choice([b"", b"", b" ", b",", b" # c"])
    return before + spelled(rng, name) + blank + divider.join(words) + after


def a_question(rng, names):
    """A name that is there, nearly there, or not."""
    name = rng.choice(names) if rng.random() < 0.8 else a_name(rng)
    dice = rng.random()
    if dice < 0.2:
        name = name.swapcase()
    elif dice < 0.3:
        name = name.replace("/UID=", "/USERID=").replace("/E=", "/email=")
    elif dice < 0.35:
        name = name.replace("/", "\\/", 2)[1:]
    shown = b""
    for byte in name.encode():
        shown += bytes([byte]) if 0x20 <= byte <= 0x7e or dice > 0.98 \
            else b"\\x%02X" % byte
    return shown


def names_nothing(line):
    """Whether the Toolkit takes such a line for one of a name without any
    bytes, and answers with what happens to be in its memory."""
    line = line.lstrip(b" \t")
    return line.startswith(b'""') or line[:1] == b"\\" and \
        line[1:2] in (b"", b" ", b"\t")


def make_file(rng, path):
    """A map file, and what is asked about it."""
    names = [a_name(rng) for _ in range(LINES)]
    lines = [a_line(rng, rng.choice(names) if rng.random() < 0.2 else name)
             for name in names]
    path.write_bytes(b"\n".join(line for line in lines
                                if not names_nothing(line)) + b"\n")
    asked_for = [a_question(rng, names) for _ in range(LINES)]
    questions = [b"map\t" + dn for dn in asked_for]
    questions += [b"ok\t" + dn + b"\t" + rng.choice(ACCOUNTS).encode()
                  for dn in asked_for[:20]]
    questions += [b"all\t" + account.encode() for account in ACCOUNTS]
    questions += [b"user\t" + account.encode() for account in ACCOUNTS]
    return [b"file\t" + str(path).encode()] + questions


def only_ours(question):
    """Whether what we take for one name the Toolkit takes for two: a backslash
    before '/' or '+', and a byte beside its \\xHH."""
    return b"\\/" in question or b"\\+" in question or \
        any(byte > 0x7e for byte in question)


def check_all(text, index, question, read, looked):
    """A text tells of every line that has the account, an index of the names
    that do: a name's later lines are of no account."""
    lines = read.split(b"|") if read else []
    rest = iter(lines)
    assert all(name in rest for name in (looked.split(b"|") if looked else []))
    oks = [b"ok\t" + name + question[3:] for name in lines]
    by_text, by_index = text.ask(oks), index.ask(oks)
    assert by_text == by_index
    assert (b"" in by_text) == bool(looked)


def check_user(gct, question, our):
    """The Toolkit takes the first line that has the account; we, as it is
    written down, the first whose default it is, if there is one."""
    account = question[5:]
    assert our in gct.ask([b"all\t" + account])[0].split(b"|"), question


def test_ten_thousand_lines_and_names(tmp_path, asked):
    rng = random.Random(20051215)
    gct, same = asked("gct_map"), asked("map_says", "gct")
    text, index = asked("map_says", "text"), asked("map_says", "index")
    found = lines = apart = 0
    for n in range(FILES):
        path = tmp_path / f"map{n}"
        questions = make_file(rng, path)
        content = path.read_bytes()
        lines += content.count(b"\n")
        theirs = gct.ask(questions)
        ours = same.ask(questions)
        for question, their, our in zip(questions, theirs, ours):
            if their != our and question.startswith(b"user\t"):
                check_user(gct, question, our)
                continue
            assert their == our, (question, content)
        found += sum(a is not None for a in theirs[1:LINES + 1])
        by_text, by_index = text.ask(questions), index.ask(questions)
        for question, their, read, looked in zip(questions, theirs, by_text,
                                                 by_index):
            if question.startswith(b"user\t"):
                continue
            if question.startswith(b"all\t"):
                check_all(text, index, question, read, looked)
                continue
            assert read == looked, (question, content)
            if read != their:
                apart += 1
                assert only_ours(question) or only_ours(content), question
        path.unlink()
        pathlib.Path(f"{path}.index").unlink()
    assert lines > FILES * LINES * 0.95
    assert FILES * LINES * 0.3 < found < FILES * LINES * 0.9
    assert apart > 0


def test_long_lines(tmp_path, asked):
    """Names and lists of accounts past every buffer."""
    path = tmp_path / "map"
    questions = [b"file\t" + str(path).encode()]
    lines = []
    for size in (1023, 4096, 65535, 65537, 70000, 200000):
        name = b"/CN=" + b"n" * size
        account = b"a" * size
        lines.append(b'"' + name + b'" x,' + account + b",y")
        questions += [b"map\t" + name, b"map\t" + name[:-1],
                      b"ok\t" + name + b"\ty", b"all\t" + account,
                      b"ok\t" + name + b"\t" + account]
    path.write_bytes(b"\n".join(lines))
    theirs = asked("gct_map").ask(questions)
    assert theirs.count(b"x") == 6
    for mode in ("gct", "text", "index"):
        assert asked("map_says", mode).ask(questions) == theirs


def test_pool_accounts_are_shared(tmp_path, asked):
    """One gridmapdir, asked by two of the Toolkit's and two of ours at once:
    an account each, the same to all, to the last account."""
    names = [f"/O=G/CN=Pool {n:02d}" for n in range(40)]
    path, pool = tmp_path / "map", tmp_path / "pool"
    path.write_text("".join(f'"{name}" .pool\n' for name in names))
    pool.mkdir()
    for n in range(len(names)):
        (pool / f"pool{n:03d}").touch()
    first = [f"file\t{path}".encode(), f"pool\t{pool}".encode()]
    peers = [asked("gct_map"), asked("map_says", "index"),
             asked("gct_map"), asked("map_says", "text")]
    for peer in peers:
        peer.ask(first)
    # Written to all before any is read: they run at the same time.
    for peer in peers:
        peer.process.stdin.write(b"".join(f"map\t{name}\n".encode()
                                          for name in names))
        peer.process.stdin.flush()
    answers = [[peer.process.stdout.readline() for _ in names]
               for peer in peers]
    # The Toolkit gives up where it met another; who asks again is answered.
    settled = [peer.ask([f"map\t{name}".encode() for name in names])
               for peer in peers]
    assert settled[0] == settled[1] == settled[2] == settled[3]
    assert len(set(settled[0])) == len(names) and None not in settled[0]
    for given in answers:
        for line, account in zip(given, settled[0]):
            assert line in (b"-\n", b"+" + account + b"\n")
    more = f"{names[0]}\t{settled[0][0].decode()}"
    for peer in peers:
        assert peer.ask([f"ok\t{more}".encode()]) == [b""]
        assert peer.ask([b"user\t" + settled[0][3]]) == [b"/o=g/cn=pool 03"]
    path.write_text(path.read_text() + '"/CN=late" .pool\n')
    for peer in peers[:1] + peers[3:]:
        assert peer.ask(first + [b"map\t/CN=late"])[2] is None


def test_what_we_write_for_all_readers_the_toolkit_reads(tmp_path, asked):
    """Also where XRootD needs lines of its own."""
    path = tmp_path / "map"
    ours = asked("map_says", "gct")
    names = [b"/CN=plain", b"/CN=host\\/x", b"/CN=q\"q", b"/CN=a\\",
             b"/CN=\\xC3\\xBC/E=a@b", b"/CN=x\\/CN=root"]
    path.write_bytes(b"".join(
        line + b"\n" for name in names
        for line in ours.ask([b"put\t" + name + b"\tone,two"])[0].split(b"\t")))
    questions = [b"file\t" + str(path).encode()]
    for name in names:
        questions += [b"map\t" + name, b"ok\t" + name + b"\ttwo"]
    plain = [b"map\t/CN=host/x", b"ok\t/CN=host/x\ttwo"]
    never = [b"map\t/CN=x/CN=root"]
    for peer in (asked("gct_map"), ours, asked("map_says", "text"),
                 asked("map_says", "index")):
        assert peer.ask(questions)[1:] == [b"one", b""] * len(names)
        assert peer.ask(plain) == [b"one", b""]
        assert peer.ask(never) == [None]
