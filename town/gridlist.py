"""网格员台账: lists that grid workers keep by hand, one workbook for each community, each worker with habits of his own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from town.clerks import grid_of, recent, write_homes, write_people, written_home
from town.draw import Rates, Rng, Texts, among, choose, either, stream, texts
from town.feed import Feed, Spec
from town.numbers import dates_as
from town.sheets import write_sheet
from town.world import World

COLUMNS = [
    "社区",
    "网格",
    "序号",
    "姓名",
    "性别",
    "出生日期",
    "身份证号",
    "联系电话",
    "住址",
    "与户主关系",
    "备注",
    "登记日期",
]
KIN = {"02": "户主", "11": "丈夫", "12": "妻子", "20": "儿子", "30": "女儿", "38": "儿媳", "41": "孙子", "42": "孙女", "51": "父亲", "52": "母亲", "97": "其他亲属"}  # fmt: skip


def entries(world: World, rates: Rates, rng: Rng) -> pd.DataFrame:
    """A row for each listed resident, under the grid of his home, in the order of the doors."""
    people = world.people
    living = np.flatnonzero(people["status"] == "resident")
    listed = living[rng.random(len(living)) < rates["covers"]]
    person = np.concatenate([listed, listed[rng.random(len(listed)) < rates["twice"]]])
    household = people["household"].to_numpy()[person]
    home = world.households["dwelling"].to_numpy()[household]
    rows = pd.DataFrame({"person": person, "household": household, "grid": grid_of(world, home), "home": home})
    rows = rows.iloc[np.argsort(rng.random(len(rows)))]  # the last rows are those not yet listed on the first day
    ordered = rows.sort_values(["grid", "home", "household"], kind="stable")
    rows["number"] = (ordered.groupby("grid").cumcount() + 1).reindex(rows.index)
    rows["when"] = recent(rng, len(rows), rates["years"])
    return rows.drop(columns="home")


def write(world: World, rows: pd.DataFrame, rates: Rates, rng: Rng) -> pd.DataFrame:
    """The columns of the workbooks; whether ids and birth dates are kept at all is the worker's habit."""
    person, grid = rows["person"].to_numpy(), rows["grid"].to_numpy()
    seen = write_people(world, person, rates, rng)
    home = written_home(world, rows, rates, rng)
    address = write_homes(world, home, rates["address"], rng)
    number, birth = _habits(world, seen, grid, rates)
    places = world.places
    serial = places.grids["serial"].to_numpy()[grid]
    community = places.communities["name"].to_numpy(dtype=object)[places.grids["community"].to_numpy()[grid]]
    relation = world.people["relation"].to_numpy(dtype=object)[person]
    written = pd.DataFrame(
        {
            "社区": community, "网格": texts([f"第{n}网格" for n in serial]), "序号": rows["number"].astype(str), "姓名": seen["name"],
            "性别": seen["sex"].map({1: "男", 2: "女"}), "出生日期": dates_as(rng, birth, rates["dates"]), "身份证号": number,
            "联系电话": seen["phone"], "住址": address.text, "与户主关系": pd.Series(relation).map(KIN), "备注": _remarks(world, rows, rng),
            "登记日期": pd.Series(rows["when"]).dt.strftime("%Y.%m.%d"),
        }
    )  # fmt: skip
    return written.assign(
        _person=person,
        _dwelling=np.where(address.readable, home, -1),
        _lost=seen["lost"] | (seen["name"].isna() & pd.isna(number)),
    )


def _habits(world: World, seen: pd.DataFrame, grid: np.ndarray, rates: Rates) -> tuple[Texts, Texts]:
    """Ids in full, masked or not at all, and birth dates or none, worker by worker."""
    rng = stream(world.seed, "grid habits")
    keeps = among(rng, rates["habits"], len(world.places.grids))[grid]
    births = (rng.random(len(world.places.grids)) < rates["birth_kept"])[grid]
    full = seen["id_number"].to_numpy(dtype=object)
    masked = texts([n if not isinstance(n, str) or len(n) != 18 else f"{n[:6]}********{n[14:]}" for n in full])
    number = either(keeps == "full", full, either(keeps == "masked", masked, None))
    return number, either(births, seen["birth"], None)


def _remarks(world: World, rows: pd.DataFrame, rng: Rng) -> Texts:
    """What a worker notes: who heads the household, tenancy, the living alone."""
    head = world.people["head"].to_numpy()[rows["person"]]
    names = world.people["name"].to_numpy(dtype=object)[np.maximum(head, 0)]
    kind = rng.random(len(rows))
    other = choose(rng, ["租户", "独居", "空巢老人", "党员", "常年在外", "低保", "养狗一只"], len(rows))
    return either((kind < 0.15) & (head >= 0), "户主" + names, either(kind < 0.25, other, None))


def save(rows: pd.DataFrame, data: Path, rng: Rng) -> None:
    """gridlists/<community>.xlsx: a title, the header in the second row, the entries grid by grid."""
    folder = data / "gridlists"
    folder.mkdir(exist_ok=True)
    filled = rows.assign(file=rows["社区"].ffill().bfill(), grid=rows["网格"].ffill().bfill())
    order = pd.to_numeric(rows["序号"]).ffill().fillna(0)
    filled = filled.iloc[np.lexsort((order, filled["grid"].str[1:-2].astype(int)))]
    for name, part in filled.groupby("file", sort=True):
        write_sheet(folder / f"{name}.xlsx", part[COLUMNS], title=f"{name}实有人口台账")


def spec(world: World, data: Path) -> Spec:
    """The source file."""
    return {
        "title": "网格员实有人口台账", "owner": "云亭街道综治中心", "level": "grid", "division": "340202004", "schedule": "0 6 * * *",
        "read": {"kind": "files", "path": "../data/gridlists/*.xlsx", "format": "xlsx", "header": 2, "key": ["社区", "网格", "序号"]},
        "maps": {"person": {
            "name": "姓名", "sex": "性别", "birth_date": "出生日期", "id_number": "身份证号", "phone": "联系电话",
            "address": {"columns": ["社区", "住址"], "join": ""}, "relation_to_head": "与户主关系", "updated_at": "登记日期",
        }},
    }  # fmt: skip


FEED = Feed("gridlist", ("社区", "网格", "序号"), entries, write, save, spec)
