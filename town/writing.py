"""How addresses are written: every feed has its habits, every clerk his slips."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from town.draw import Ints, Mask, Rates, Rng, Texts, among, choose, either, texts, words
from town.places import Places

DIGITS = "零一二三四五六七八九"
WIDE = str.maketrans("0123456789-#", "０１２３４５６７８９－＃")


@dataclass(frozen=True)
class Written:
    """Addresses as texts, and whether a careful human who knows the street could read each to the room."""

    text: Texts
    readable: Mask


def write_addresses(places: Places, dwellings: Ints, habits: Rates, rng: Rng) -> Written:
    """Addresses of dwellings (rows of places.dwellings) in a feed's style.

    habits: prefix, head, tail (tables of shares) and the rates no_unit, no_room, typo, name_typo, repeated, wide, landmark.
    """
    size = len(dwellings)
    home = places.dwellings.iloc[dwellings]
    building = places.buildings.iloc[home["building"]]
    estate = places.estates.iloc[building["estate"]]
    slips = {
        name: rng.random(size) < habits[name]
        for name in ("no_unit", "no_room", "typo", "name_typo", "repeated", "wide", "landmark")
    }
    unit, room = home["unit"].to_numpy(), home["room"].to_numpy()
    units = building["units"].to_numpy()
    left_out = (units == 1) & (rng.random(size) < habits["single_unit_left_out"])
    no_unit, no_room = (slips["no_unit"] | left_out) & (unit > 0), slips["no_room"] & (room > 0)
    room = np.where(slips["typo"] & (room > 0), room + rng.choice([-1, 1, 100, 10], size), room)
    style = among(rng, habits["tail"], size)
    tails = _tails(
        building,
        home["floor"].to_numpy(),
        np.where(no_unit, 0, unit),
        np.where(no_room, 0, room),
        style,
        estate["labels"],
    )
    kind = among(rng, habits["head"], size)
    heads = np.where(kind == "bare", "", _heads(estate, kind, slips["name_typo"], rng))
    prefix = _prefixes(places, estate["community"].to_numpy(), habits["prefix"], slips["repeated"], rng)
    text = prefix + heads + tails
    text[slips["wide"]] = texts([t.translate(WIDE) for t in text[slips["wide"]]])
    text = np.where(slips["landmark"], text + "（" + choose(rng, words("places.yml")["landmarks"], size) + "）", text)
    return Written(text, ~(slips["typo"] | (kind == "bare") | no_room | (no_unit & (units > 1))))


def _prefixes(places: Places, community: Ints, shares: Mapping[str, float], repeated: Mask, rng: Rng) -> Texts:
    """full: province to community; city, district, street, community; committee: 居委会 instead of 社区; none."""
    admin = words("places.yml")["admin"]
    name = places.communities["name"].to_numpy(dtype=object)[community]
    committee = texts([n.replace("社区", "社区居委会") if n.endswith("社区") else f"{n}委会" for n in name])
    top = admin["province"] + admin["city"]
    forms = {
        "full": top + admin["district"] + admin["street"] + name, "city": texts([admin["city"] + admin["district"] + admin["street"]] * len(name)),
        "district": texts([admin["district"]] * len(name)), "street": admin["street"] + name, "community": name,
        "committee": admin["district"] + admin["street"] + committee, "province": texts([top + admin["district"]] * len(name)),
        "none": texts([""] * len(name)),
    }  # fmt: skip
    kind = among(rng, shares, len(name))
    prefix = np.select([kind == form for form in forms], list(forms.values()), "").astype(object)
    return either(repeated, top + prefix, prefix)


def _heads(estate, kind: Texts, typo: Mask, rng: Rng) -> Texts:  # type: ignore[no-untyped-def]
    """name, alias, road (and door number), both (road, number and name)."""
    name, plate = estate["name"].to_numpy(dtype=object), _plates(estate, rng)
    name = np.where(typo, texts([_name_typo(rng, n) for n in name]), name)
    alias = estate["alias"].to_numpy(dtype=object)
    alias = np.where(estate["alias"].isna(), name, alias)
    sort = estate["kind"].to_numpy()
    plain = np.isin(sort, ["high", "multi"])
    heads = np.select(
        [kind == "name", kind == "alias", kind == "road", kind == "both"], [name, alias, plate, plate + name], name
    )
    heads = np.where(sort == "lane", plate + "弄", np.where(sort == "yard", plate + "号院", heads))
    heads = np.where(
        plain & np.isin(kind, ["road", "both"]), np.where(kind == "both", plate + "号" + name, plate + "号"), heads
    )
    return np.where(sort == "village", name, heads)


def _plates(estate, rng: Rng) -> Texts:  # type: ignore[no-untyped-def]
    """Road and number without 号; a gated estate has two gates, lanes and yards one."""
    second = np.isin(estate["kind"], ["high", "multi"]) & (rng.random(len(estate)) < 0.25)
    road = np.where(second, estate["road2"], estate["road"])
    number = np.where(second, estate["number2"], estate["number"])
    return texts([f"{r}{n}" for r, n in zip(road, number, strict=True)])


def _name_typo(rng: Rng, name: str) -> str:
    """One character of the name left out or exchanged for one like it."""
    for wrong, right in (
        ("花园", "花圆"),
        ("国际", "国祭"),
        ("苑", "宛"),
        ("新村", "新材"),
        ("华庭", "花庭"),
        ("家园", "佳园"),
        ("锦绣", "锦秀"),
    ):
        if wrong in name:
            return name.replace(wrong, right)
    return name[:1] + name[2:] if len(name) > 3 else name


def _tails(building, floor: Ints, unit: Ints, room: Ints, style: Texts, labels) -> Texts:  # type: ignore[no-untyped-def]
    """Building, unit and room. Unit 0: not written; room 0: not written."""
    group = building["group"].to_numpy()
    rows = zip(
        building["number"].tolist(),
        group.tolist(),
        unit.tolist(),
        room.tolist(),
        floor.tolist(),
        style,
        labels,
        strict=True,
    )
    return texts([(_house(*row) if row[1] else STYLES[row[5]](row[0], row[2], row[3], row[4], row[6])) for row in rows])


def _house(number: int, group: int, unit: int, room: int, floor: int, style: str, label: str) -> str:
    """A self-built house of a village group: 3组12号, 三组12号201室, 3队12-201."""
    forms = {
        "hyphen": (f"{group}组{number}号", f"-{room}"),
        "chinese": (f"{chinese(group)}组{number}号", f"{room}室"),
        "hash": (f"{group}队{number}号", f"#{room}"),
        "door": (f"{group}社{number}号", f"{room}"),
    }
    house, rest = forms.get(style, (f"{group}组{number}号", f"{room}室"))
    return house + (rest if room else "")


def chinese(number: int) -> str:
    """A number below a hundred as Chinese counts it, larger ones digit by digit."""
    if number >= 100:
        return "".join(DIGITS[int(c)] for c in str(number))
    tens, ones = divmod(number, 10)
    return ("" if tens < 2 else DIGITS[tens]) + ("十" if tens else "") + (DIGITS[ones] if ones or not tens else "")


def _joined(parts: list[str], mark: str) -> str:
    return mark.join(part for part in parts if part)


def _standard(b: int, u: int, r: int, f: int, label: str) -> str:
    """3栋2单元501室, with the estate's own word for a building; a lane's 12号501室."""
    name = chr(64 + b) if label == "座" and b <= 26 else str(b)
    return f"{name}{label}" + (f"{u}单元" if u else "") + (f"{r}室" if r else "")


def _short(b: int, u: int, r: int, f: int, label: str) -> str:
    return f"{b}{label}" + (f"{u}单元" if u else "") + (f"{r}" if r else "")


STYLES: dict[str, Callable[[int, int, int, int, str], str]] = {
    "standard": _standard,
    "short": _short,
    "curtain": lambda b, u, r, f, label: _standard(b, u, r, f, label if label in "号号楼" else "幢"),
    "dong": lambda b, u, r, f, label: _standard(b, u, r, f, label if label == "号" else "栋"),
    "north": lambda b, u, r, f, label: (
        f"{b}{label if label == '号' else '号楼'}" + (f"{u}门" if u else "") + (f"{r}" if r else "")
    ),
    "hyphen": lambda b, u, r, f, label: _joined([str(b), str(u or ""), str(r or "")], "-"),
    "padded": lambda b, u, r, f, label: _joined([f"{b:02}", f"{u:02}" if u else "", f"{r:04}" if r else ""], "-"),
    "slash": lambda b, u, r, f, label: _joined([str(b), str(u or ""), str(r or "")], "/"),
    "hash": lambda b, u, r, f, label: f"{b}#" + _joined([str(u or ""), str(r or "")], "-"),
    "door": lambda b, u, r, f, label: f"{b}#" + (f"{u}单元" if u else "") + (f"{r}" if r else ""),
    "floor": lambda b, u, r, f, label: f"{b}{label}" + (f"{u}单元" if u else "") + (f"{f}楼{r}室" if r else ""),
    "chinese": lambda b, u, r, f, label: (
        chinese(b)
        + label
        + (f"{chinese(u)}单元" if u else "")
        + ("".join(DIGITS[int(c)] for c in str(r)) + "室" if r else "")
    ),
    "household": lambda b, u, r, f, label: f"{b}{label}" + (f"{u}单元" if u else "") + (f"{r}户" if r else ""),
}
