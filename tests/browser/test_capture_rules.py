"""The pure modules of the capture, run where they run: in Chromium."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from shiming.entrypoints.pages.assets import assets
from tests.browser.capture_stage import ORIGIN, Stage, a_stage

#: A grey frame with a light card on a dark table, `scale` times as large as the guide; noise makes it sharp.
_FRAME = """
const g = await load('document_guidance');
const frame = (o = {}) => {
  const width = o.width ?? 320, height = o.height ?? 240, card = g.guide(width, height);
  const pixels = new Uint8ClampedArray(width * height).fill(o.table ?? 60);
  const w = card.width * (o.scale ?? 1), h = card.height * (o.scale ?? 1);
  const x0 = card.x + (card.width - w) / 2 + (o.dx ?? 0), y0 = card.y + (card.height - h) / 2 + (o.dy ?? 0);
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) {
    const slant = (o.slant ?? 0) * (x - width / 2);
    const inside = x >= x0 && x < x0 + w && y + slant >= y0 && y + slant < y0 + h;
    const print = o.text !== false && (Math.round(x - x0) * 7 + y * 13) % 11 < 3 ? -70 : 0;
    if (inside) pixels[y * width + x] = (o.light ?? 190) + print;
    if (inside && o.glare && Math.hypot(x - width / 2, y - height / 2) < o.glare) pixels[y * width + x] = 255;
  }
  return { pixels, width, height };
};
const findings = (f, before, sharp) => {
  const card = g.guide(f.width, f.height), sides = g.findSides(f, card), scale = g.scale(sides, card);
  return { sides, scale, cardWidth: 900, brightness: g.brightness(f, card), glareShare: g.glareShare(f, card),
    movement: g.movement(f, before, card), sharpness: sharp ?? g.sharpness(f) };
};
"""


@pytest.fixture(scope="module")
def modules(bare_browser: Browser) -> Iterator[Stage]:
    with a_stage(bare_browser, permissions=()) as stage:
        stage.page.goto(f"{ORIGIN}/blank")
        yield stage


def run(stage: Stage, script: str, argument: Any = None) -> Any:
    """Run a script that may `load(name)` a module of the capture."""
    folder = assets().url("js/capture/camera.js").rsplit("/", 1)[0]
    loading = f"const load = (name) => import('{folder}/' + name + '.js');"
    return stage.page.evaluate(f"async (given) => {{ {loading} {script} }}", argument)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ({}, "ready"),
        ({"slant": 0.02}, "ready"),
        ({"scale": 0.8}, "ready"),
        ({"scale": 0.68}, "closer"),
        ({"scale": 1.11}, "further"),
        ({"light": 62, "text": False}, "no_card"),
        ({"light": 45, "table": 20}, "dark"),
        ({"light": 250, "table": 245, "text": False}, "bright"),
        ({"dx": 70}, "align"),
        ({"glare": 30}, "glare"),
    ],
)
def test_one_advice_at_a_time(modules: Stage, seen: dict[str, Any], expected: str) -> None:
    script = _FRAME + "const f = frame(given); return g.advice(findings(f, f));"
    assert run(modules, script, seen) == expected


def test_a_moving_and_a_blurred_card(modules: Stage) -> None:
    script = (
        _FRAME
        + """const f = frame(), moved = frame({ dx: 6 }), smooth = frame({ text: false });
        const soft = (p, i) => (p + (smooth.pixels[i + 1] ?? p)) / 2;
        const flat = { ...smooth, pixels: smooth.pixels.map(soft) };
        return [g.advice(findings(f, moved)), g.advice(findings(f, null)), g.advice(findings(f, f, 12)),
          g.sharpness(f) > 10 * g.sharpness(flat)];"""
    )
    assert run(modules, script) == ["still", "still", "blurred", True]


def test_a_small_video_asks_for_a_closer_card(modules: Stage) -> None:
    script = (
        _FRAME + "const f = frame({ scale: 0.9 }); return g.advice({ ...findings(f, f), cardWidth: 470 });"
    )
    assert run(modules, script) == "closer"


def test_the_shutter_waits_for_frames_in_a_row_and_advice_does_not_flicker(modules: Stage) -> None:
    script = """const g = await load('document_guidance'); let s = g.NOTHING_YET; const log = [];
      for (const now of given) { s = g.steady(s, now); log.push([s.shown, s.shoot]); } return log;"""
    flicker = run(modules, script, ["closer", "glare", "closer", "glare", "glare", "glare"])
    assert [shown for shown, _ in flicker] == ["closer"] * 5 + ["glare"]
    ready = run(modules, script, ["ready"] * 5 + ["still"] + ["ready"] * 6)
    assert [shot for _, shot in ready] == [False] * 11 + [True]


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1080, 1920), (640, 480)])
def test_the_visible_part_of_a_video_has_the_shape_of_its_box(
    modules: Stage, width: int, height: int
) -> None:
    script = "return (await load('document_guidance')).visiblePart(...given, 4 / 3);"
    part = run(modules, script, [width, height])
    assert part["width"] / part["height"] == pytest.approx(4 / 3)
    assert part["x"] >= 0 <= part["y"]
    assert part["x"] * 2 + part["width"] == pytest.approx(width)
    assert part["y"] * 2 + part["height"] == pytest.approx(height)


@pytest.mark.parametrize(
    ("connection", "measured", "size"),
    [
        (None, 0, "standard"),
        ({"saveData": True, "effectiveType": "4g", "downlink": 10}, 0, "small"),
        ({"effectiveType": "3g", "downlink": 1.4}, 0, "small"),
        ({"effectiveType": "4g", "downlink": 3}, 0, "medium"),
        ({"effectiveType": "4g", "downlink": 10}, 0, "standard"),
        ({"effectiveType": "4g", "downlink": 10}, 300_000, "small"),
        ({"effectiveType": "3g", "downlink": 1}, 5_000_000, "standard"),
    ],
)
def test_the_size_of_a_clip_follows_the_network(
    modules: Stage, connection: dict[str, Any] | None, measured: int, size: str
) -> None:
    script = "return (await load('video_size')).chooseSize(given[0] ?? undefined, given[1]).name;"
    assert run(modules, script, [connection, measured]) == size


def test_a_device_that_loses_frames_records_smaller_clips(modules: Stage) -> None:
    script = """const { chooseSize } = await load('video_size');
      return given.map((starved) => chooseSize(undefined, 0, starved).name);"""
    assert run(modules, script, [0, 1, 2, 9]) == ["standard", "medium", "small", "small"]


def test_every_size_is_one_that_packs_accept(modules: Stage) -> None:
    for size in run(modules, "return (await load('video_size')).SIZES;"):
        assert min(size["width"], size["height"]) >= 360, "clip_limits.short_side_px_min"
        assert size["framesPerSecond"] >= 10, "clip_limits.frame_rate_min"


def test_prompts_follow_the_challenge(modules: Stage) -> None:
    challenge = {
        "steps": [{"gesture": "turn_left"}, {"gesture": "blink"}],
        "digits": "470913",
        "digits_mode": "spoken",
    }
    script = """const s = await load('prompt_schedule'); const plan = s.schedule(given, 3);
      return { times: plan.gestureTimes, end: plan.end, kinds: plan.prompts.map((p) => p.kind),
        now: [0, 1.4, 1.6, 5.1, 99].map((t) => s.promptAt(plan, t).name),
        given: s.promptTimes(plan, [0, 1.523, 5.0789, 8.6]), missed: s.promptTimes(plan, [0, 1.5]) };"""
    found = run(modules, script, challenge)
    assert found["times"] == [1.5, 5.0]
    assert found["end"] == pytest.approx(15.1)
    assert found["kinds"] == ["prepare", "gesture", "gesture", "digits"]
    assert found["now"] == ["prepare", "prepare", "turn_left", "blink", "digits"]
    assert found["given"] == [1.52, 5.08]
    assert found["missed"] is None


def test_digits_are_said_before_they_are_asked_for_where_instructions_are_spoken(modules: Stage) -> None:
    script = """const s = await load('prompt_schedule');
      return s.schedule(given, 3, true).prompts.map((p) => p.kind);"""
    spoken = {"steps": [], "digits": "12", "digits_mode": "spoken"}
    assert run(modules, script, spoken) == ["prepare", "listen", "digits"]
    assert run(modules, script, {**spoken, "digits_mode": "tapped"}) == ["prepare"]


def test_metadata_is_encoded_as_tus_wants_it(modules: Stage) -> None:
    script = "return (await load('upload')).encodeMetadata(given);"
    said = run(modules, script, {"kind": "clip", "device": "", "place": "柜台"})
    assert said == "kind Y2xpcA==,place 5p+c5Y+w"


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("NotAllowedError", "denied"),
        ("NotFoundError", "missing"),
        ("OverconstrainedError", "missing"),
        ("NotReadableError", "busy"),
        ("AbortError", "busy"),
        ("TypeError", "unsupported"),
    ],
)
def test_what_a_browser_says_of_cameras_is_one_of_our_states(modules: Stage, name: str, fault: str) -> None:
    script = "return (await load('camera')).faultOf(new DOMException('', given));"
    assert run(modules, script, name) == fault


#: An upload against a server in the page: `faults` says what becomes of each request, in order.
_UPLOAD = """
const { Upload } = await load('upload'); const { memoryStore } = await load('chunk_store');
const log = []; const server = new Map(); let made = 0; const faults = [...given.faults];
const request = async (method, url, headers, body) => {
  const fault = faults.shift();
  log.push([method, headers['Upload-Offset'], fault].filter(Boolean).join(' '));
  if (fault === 'restart') server.clear();
  if (fault === 'lost') throw new TypeError('network');
  if (Number(fault)) return new Response(null, { status: Number(fault) });
  if (method === 'POST') { made += 1; server.set('/u/' + made, '');
    return new Response(null, { status: 201, headers: { Location: '/u/' + made } }); }
  if (!server.has(url)) return new Response(null, { status: 404 });
  if (method === 'PATCH') server.set(url, server.get(url) + (await body.text()));
  if (fault === 'deaf') throw new TypeError('the answer was lost');
  const told = { 'Upload-Offset': String(server.get(url).length) };
  return new Response(null, { status: method === 'HEAD' ? 200 : 204, headers: told });
};
const store = memoryStore();
const upload = new Upload({ endpoint: '/u', metadata: { kind: 'clip' }, request, store, key: 'k' });
"""


@pytest.mark.parametrize(
    ("faults", "made"),
    [
        ([], 1),
        (["lost"], 1),
        ([None, "lost", "lost"], 1),
        ([None, "deaf"], 1),
        ([None, 503], 1),
        ([None, 409], 1),
        ([None, None, "restart"], 2),
    ],
)
def test_nothing_is_lost_or_doubled_on_the_way(modules: Stage, faults: list[Any], made: int) -> None:
    script = (
        _UPLOAD
        + """for (const piece of ['one ', 'two ', 'three']) {
          upload.add(new Blob([piece])); await new Promise((r) => setTimeout(r, 20)); }
        const id = await upload.finish(); const kept = await store.find('k'); await upload.forget();
        return { id, content: server.get('/u/' + id), made, log, kept: kept.pieces.length,
          left: await store.find('k') };"""
    )
    found = run(modules, script, {"faults": faults})
    assert found["content"] == "one two three", found["log"]
    assert found["made"] == made
    assert found["kept"] == 3
    assert found["left"] is None


def test_what_the_server_refuses_is_not_asked_again(modules: Stage) -> None:
    script = (
        _UPLOAD
        + """upload.add(new Blob(['x']));
        return upload.finish().then(() => 'sent', (e) => [e.response.status, log]);"""
    )
    assert run(modules, script, {"faults": [413, 413]})[0] == 413


def test_an_upload_that_is_stopped_leaves_nothing(modules: Stage) -> None:
    script = (
        _UPLOAD
        + """upload.add(new Blob(['x'])); await new Promise((r) => setTimeout(r, 30)); await upload.abort();
        return [log.at(-1), await store.find('k')];"""
    )
    assert run(modules, script, {"faults": []}) == ["DELETE", None]


def test_pieces_outlive_a_reload_and_old_ones_are_swept(modules: Stage) -> None:
    write = """const { openStore, KEPT_MS } = await load('chunk_store'); const store = await openStore();
      const held = (key, at) => ({ key, location: '/u/1', at, complete: true, about: { a: 1 } });
      await store.note(held('new', Date.now())); await store.note(held('old', Date.now() - KEPT_MS - 1));
      for (const key of ['new', 'old'])
        for (const i of [0, 1]) await store.add(key, i, new Blob([key + i]));"""
    run(modules, write)
    modules.page.reload()
    read = """const store = await (await load('chunk_store')).openStore();
      const found = await store.find('new');
      const texts = await Promise.all(found.pieces.map((piece) => piece.text())); await store.drop('new');
      return [texts, found.held.about, await store.find('old'), await store.find('new')];"""
    assert run(modules, read) == [["new0", "new1"], {"a": 1}, None, None]


_ON_DISK = """const opening = indexedDB.open('shiming-capture');
const database = await new Promise((done) => { opening.onsuccess = () => done(opening.result); });
const rows = (name) => new Promise((done) => {
  const asked = database.transaction(name).objectStore(name).getAll();
  asked.onsuccess = () => done(asked.result); });
"""


def test_pieces_on_disk_are_sealed_under_a_key_that_no_script_reads_and_that_goes_with_them(
    modules: Stage,
) -> None:
    write = """const { openStore } = await load('chunk_store'); const store = await openStore();
      const held = { key: 'k', location: '', at: Date.now(), complete: false, about: {} };
      const noting = store.note(held); const face = new Blob(['a face'], { type: 'video/webm' });
      await Promise.all([noting, ...[0, 1].map((i) => store.add('k', i, face))]);"""
    run(modules, write)
    modules.page.reload()
    look = f"""{_ON_DISK} const decoder = new TextDecoder();
      const pieces = await rows('pieces'); const [own] = await rows('keys');
      const clear = pieces.map((row) => [JSON.stringify(row), decoder.decode(row.content)].join());
      const readOut = await crypto.subtle.exportKey('raw', own).then(() => 'read', () => 'refused');
      const store = await (await load('chunk_store')).openStore(); const found = await store.find('k');
      const told = async (each) => each.type + ' ' + (await each.text());
      const texts = await Promise.all(found.pieces.map(told));
      await store.drop('k'); await store.add('k', 2, new Blob(['late']));
      const left = (await Promise.all(['pieces', 'uploads', 'keys'].map(rows))).flat().length;
      return [clear.some((text) => text.includes('face')), own.extractable, readOut, texts, left];"""
    assert run(modules, look) == [False, False, "refused", ["video/webm a face"] * 2, 0]


def test_pieces_that_cannot_be_opened_are_as_if_nothing_were_left(modules: Stage) -> None:
    script = f"""const {{ openStore }} = await load('chunk_store'); const store = await openStore();
      await store.note({{ key: 'k', location: '', at: Date.now(), complete: false, about: {{}} }});
      for (const i of [0, 1]) await store.add('k', i, new Blob(['piece ' + i]));
      {_ON_DISK} const [first, second] = await rows('pieces');
      const table = database.transaction('pieces', 'readwrite').objectStore('pieces');
      const asked = table.put({{ ...first, index: second.index }});
      await new Promise((done) => {{ asked.onsuccess = done; }});
      return [await store.find('k'), (await rows('pieces')).length];"""
    assert run(modules, script) == [None, 0]
