"""组织: shops and companies in the market register, and on the fire inspectors' list under the names over their doors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from town.areas import DIVISION, METRE
from town.documents import draw_usccs
from town.draw import Rates, Rng, Texts, choose, either, pick, stream, strings, texts, words
from town.feed import Feed, Spec
from town.misnaming import homophones
from town.numbers import mishaps
from town.sheets import write_sheet
from town.world import World, age, mobiles

SHOPS = 6200  # at scale 1
COMPANIES = 0.18
BRANCHES = 0.04  # shops of a chain that has several in the street


def stock(world: World) -> pd.DataFrame:
    """Every organization: name, short, core, trade, company, uscc, owner (row of people), phone, building, shop. The row number is the id."""
    rng, parts = stream(world.seed, "shops"), words("shops.yml")
    size = max(20, round(SHOPS * world.scale))
    company = rng.random(size) < COMPANIES
    trade = (
        pd.DataFrame(parts["trades"])
        .iloc[pick(rng, [t["share"] for t in parts["trades"]], size)]
        .reset_index(drop=True)
    )
    adults = np.flatnonzero(world.people["status"].eq("resident") & (age(world.people) > 20) & (age(world.people) < 70))
    owner = rng.choice(adults, size)
    own = world.people["surname"].to_numpy(dtype=object)[owner]
    core = _cores(rng, parts, own, size)
    chain = np.flatnonzero(rng.random(size) < BRANCHES)
    core[chain] = choose(rng, parts["chains"], len(chain))
    branch = np.full(size, "", dtype=object)
    branch[chain] = choose(rng, world.places.estates["road"].unique(), len(chain)) + "店"
    word = texts([w[int(n) % len(w)] for w, n in zip(trade["words"], rng.integers(0, 60, size), strict=True)])
    name = np.where(company, "芜湖市" + core + word + "有限公司", "镜湖区" + core + word + trade["form"])
    bracket = np.where(branch == "", "", "（" + branch + "）")
    urban = np.flatnonzero(world.places.buildings["group"] == 0)
    return pd.DataFrame(
        {
            "name": np.where(branch == "", name, np.where(company, name + branch.astype(object), name + bracket)), "core": core, "word": word,
            "branch": branch, "company": company, "kind": trade["kind"], "uscc": draw_usccs(rng, ~company), "owner": owner,
            "phone": np.where(rng.random(size) < 0.7, world.people["phone"].to_numpy(dtype=object)[owner], mobiles(rng, size)),
            "building": rng.choice(urban, size), "shop": rng.integers(1, 18, size),
        }
    )  # fmt: skip


def _cores(rng: Rng, parts: dict[str, list[str]], own: Texts, size: int) -> Texts:
    """The word that makes a name: lucky words, or the owner's surname with 记 or 氏."""
    lucky = choose(rng, parts["lucky"], size) + choose(rng, parts["lucky"], size)
    named = np.where(
        own == "", lucky, choose(rng, ["老", "小", ""], size) + own + choose(rng, ["记", "家", "氏"], size)
    )
    return either(rng.random(size) < 0.6, lucky, named)


def market_entries(world: World, rates: Rates, rng: Rng) -> pd.DataFrame:
    """Registered organizations, some entered again after a change of the code's holder."""
    listed = np.flatnonzero(rng.random(len(stock(world))) < rates["covers"])
    again = listed[rng.random(len(listed)) < rates["twice"]]
    rows = pd.DataFrame(
        {"organization": np.concatenate([listed, again]), "again": np.arange(len(listed) + len(again)) >= len(listed)}
    )
    return rows.iloc[rng.permutation(len(rows))]


def write_market(world: World, rows: pd.DataFrame, rates: Rates, rng: Rng) -> pd.DataFrame:
    """Full names and codes."""
    shop = stock(world).iloc[rows["organization"]].reset_index(drop=True)
    representative = world.people["name"].to_numpy(dtype=object)[shop["owner"]]
    serial = rows["organization"].to_numpy() * 2 + rows["again"].to_numpy() + 1
    return pd.DataFrame(
        {
            "序列号": texts([f"SC{n}" for n in strings(serial, 6)]), "统一社会信用代码": _codes(shop["uscc"], rates, rng), "名称": shop["name"],
            "类型": np.where(shop["company"], "有限责任公司", "个体工商户"), "住所": "芜湖市镜湖区云亭街道" + _addresses(world, shop, rng),
            "法定代表人": representative, "联系电话": either(rng.random(len(rows)) < rates["phone_missing"], None, shop["phone"]),
            "_organization": rows["organization"].to_numpy(), "_lost": False,
        }
    )  # fmt: skip


def _codes(uscc: pd.Series, rates: Rates, rng: Rng) -> Texts:
    """Codes with a figure mistyped, letters for figures, small letters, or none."""
    code = uscc.to_numpy(dtype=object).copy()
    fate = mishaps(rng, len(code), rates["uscc"])
    wrong = np.flatnonzero(fate == "wrong")
    code[wrong] = texts([c[:11] + str((int(c[11]) + 1) % 10) + c[12:] if c[11].isdigit() else c for c in code[wrong]])
    letters = np.flatnonzero(fate == "letters")
    code[letters] = texts([c.replace("0", "O", 1) for c in code[letters]])
    lower = np.flatnonzero(fate == "lower")
    code[lower] = texts([c.lower() for c in code[lower]])
    return either(fate == "missing", None, code)


def _addresses(world: World, shop: pd.DataFrame, rng: Rng) -> Texts:
    """Ground floors: 翠湖花园3栋底商5号, 柳岸路12号商铺5, 柳岸路12-5号."""
    site = world.places.buildings.iloc[shop["building"]]
    estate = world.places.estates.iloc[site["estate"]]
    plate = texts([f"{r}{n}" for r, n in zip(estate["road"], estate["number"], strict=True)])
    number = strings(shop["shop"].to_numpy())
    name = np.where(estate["name"] == "", plate + "号", estate["name"])
    kind = pick(rng, (0.35, 0.35, 0.3), len(shop))
    return np.select(
        [kind == 0, kind == 1],
        [name + strings(site["number"].to_numpy()) + "栋底商" + number + "号", plate + "号商铺" + number],
        plate + "-" + number + "号",
    )


def fire_entries(world: World, rates: Rates, rng: Rng) -> pd.DataFrame:
    """Shops that the inspectors visited."""
    return pd.DataFrame(
        {"organization": rng.permutation(np.flatnonzero(rng.random(len(stock(world))) < rates["covers"]))}
    )


def write_fire(world: World, rows: pd.DataFrame, rates: Rates, rng: Rng) -> pd.DataFrame:
    """The name over the door: core and trade, without division and legal form; the code is seldom noted."""
    shop = stock(world).iloc[rows["organization"]].reset_index(drop=True)
    door = np.where(
        shop["branch"] == "", shop["core"] + shop["word"], shop["core"] + shop["word"] + "(" + shop["branch"] + ")"
    )
    slip = np.flatnonzero(rng.random(len(rows)) < rates["name_slip"])
    door[slip] = texts([_slip(rng, name) for name in door[slip]])
    full = rng.random(len(rows)) < rates["full_name"]
    site = world.places.buildings.iloc[shop["building"]]
    manager = either(rng.random(len(rows)) < 0.75, world.people["name"].to_numpy(dtype=object)[shop["owner"]], None)
    return pd.DataFrame(
        {
            "编号": texts([f"XF{n}" for n in strings(rows["organization"].to_numpy() + 1, 5)]), "单位名称": np.where(full, shop["name"], door),
            "信用代码": either(rng.random(len(rows)) < rates["code_noted"], shop["uscc"], None), "地址": _addresses(world, shop, rng), "负责人": manager,
            "电话": either(rng.random(len(rows)) < rates["phone_missing"], None, either(rng.random(len(rows)) < rates["phone_other"], mobiles(rng, len(rows)), shop["phone"])),
            "经度": (site["lon"].to_numpy() + rng.normal(0, 12, len(rows)) * METRE).round(6), "纬度": (site["lat"].to_numpy() + rng.normal(0, 12, len(rows)) * METRE).round(6),
            "_organization": rows["organization"].to_numpy(), "_lost": False,
        }
    )  # fmt: skip


def _slip(rng: Rng, name: str) -> str:
    """A character written as another of its sound, where the town knows one."""
    for letter in name:
        if letter in homophones():
            return name.replace(letter, homophones()[letter][0], 1)
    return name


def market_spec(world: World, data: Path) -> Spec:
    """The source file."""
    return {
        "title": "市场主体登记", "owner": "区市场监督管理局", "level": "district", "division": "340202", "schedule": "0 2 * * *",
        "read": {"kind": "files", "path": "../data/market.csv", "format": "csv", "encoding": "utf-8", "key": ["序列号"]},
        "maps": {"organization": {
            "name": "名称", "uscc": "统一社会信用代码", "kind": "类型", "address": "住所", "legal_representative": "法定代表人", "phone": "联系电话",
        }},
    }  # fmt: skip


def fire_spec(world: World, data: Path) -> Spec:
    """The source file."""
    return {
        "title": "沿街商铺消防检查台账", "owner": "云亭街道消防所", "level": "street", "division": DIVISION, "schedule": "0 5 * * 1",
        "read": {"kind": "files", "path": "../data/fire_safety.xlsx", "format": "xlsx", "key": ["编号"]},
        "maps": {"organization": {
            "name": "单位名称", "uscc": "信用代码", "address": "地址", "legal_representative": "负责人", "phone": "电话", "longitude": "经度", "latitude": "纬度",
        }},
    }  # fmt: skip


def _save_market(rows: pd.DataFrame, data: Path, rng: Rng) -> None:
    rows.to_csv(data / "market.csv", index=False, encoding="utf-8")


def _save_fire(rows: pd.DataFrame, data: Path, rng: Rng) -> None:
    write_sheet(data / "fire_safety.xlsx", rows)


MARKET = Feed("market", ("序列号",), market_entries, write_market, _save_market, market_spec)
FIRE = Feed("fire_safety", ("编号",), fire_entries, write_fire, _save_fire, fire_spec)
