"""The Reconciliation Service API 0.2 (W3C Entity Reconciliation Community Group), so that OpenRefine is a client.

OpenRefine sends no headers: the address of the service bears a token of its own kind, which may do nothing else and is
revoked like any other. Names and numbers come by POST alone; what comes in an address is a code or a word of the schema.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qs

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from api.deps import Asking, asked_of, asking_with
from api.entities import PROBLEMS, code_of
from api.models import Manifest
from api.problems import Problem
from api.reconcile_queries import Answered, Extension, Question, read_extension, read_queries
from onegrid.asking import meant
from registry.access import RECONCILE
from registry.reconciling import EXTENDED, MAY, NAMED
from registry.views import shown_called, shown_values
from schemas.properties import entity_types

FIELDS_MOST = 8  # of a form: one is asked for
MOST = 10  # candidates of one query
SHOWN = ("name", "sex", "birth_date", "phone", "address")  # of a preview
TYPE = {"id": "person", "name": "人 person"}
HEADERS = {"Cache-Control": "private, no-store", "Access-Control-Allow-Origin": "*", "Referrer-Policy": "no-referrer"}
FORM = {"requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": {
    "type": "object", "properties": {
        "queries": {"type": "string", "description": "JSON: a batch of queries"},
        "extend": {"type": "string", "description": "JSON: ids and properties to fetch"},
    }}}}}}  # fmt: skip

router = APIRouter(prefix="/reconcile/{key}", tags=["reconcile"], responses=PROBLEMS)


def _asking(
    request: Request, key: Annotated[str, Path(max_length=128, description="a token for reconciliation")]
) -> Asking:
    return asking_with(request, key)


KeyedDep = Annotated[Asking, Depends(_asking)]
WordParam = Annotated[str, Query(max_length=64, description="the beginning of a word, or of a code")]


@router.get("", response_model=Manifest, operation_id="reconcile_manifest", summary="What the service can do")
async def manifest(
    request: Request, asking: KeyedDep, queries: str | None = None, extend: str | None = None
) -> Response:
    """The service's manifest. Queries are refused here: they hold names, and addresses end up in logs."""
    await asking.once(RECONCILE, MAY, {})
    if queries is not None or extend is not None:
        raise Problem(422, "invalid", "Send queries by POST: they must not stand in an address.")
    here = str(request.url.replace(query=None, fragment=None))
    suggest = {
        kind: {"service_url": here, "service_path": f"/suggest/{kind}"} for kind in ("entity", "property", "type")
    }
    return _told({
        "versions": ["0.2"], "name": "OneGrid", "identifierSpace": "urn:onegrid:code", "schemaSpace": "urn:onegrid:schema",
        "defaultTypes": [TYPE], "suggest": suggest, "batchSize": 10,
        "preview": {"url": f"{here}/preview?id={{{{id}}}}", "width": 400, "height": 180},
        "extend": {"propose_properties": {"service_url": here, "service_path": "/properties"}, "property_settings": []},
    })  # fmt: skip


@router.post("", operation_id="reconcile", summary="Queries in a batch, or properties of codes", openapi_extra=FORM)
async def reconcile(request: Request, asking: KeyedDep) -> Response:
    """Candidates for each query of a batch (form field `queries`), or values of properties (`extend`)."""
    form = _form(await request.body())
    if "queries" in form:
        return _told(await _candidates(asking, read_queries(form["queries"][0])))
    if "extend" in form:
        return _told(await _extended(asking, read_extension(form["extend"][0])))
    await asking.once(RECONCILE, MAY, {})
    raise Problem(422, "invalid", "Send `queries` or `extend` as a field of a form.")


def _form(body: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(body.decode("utf-8", "replace"), max_num_fields=FIELDS_MOST)
    except ValueError:
        raise Problem(422, "invalid", f"The form may have {FIELDS_MOST} fields.") from None


async def _candidates(asking: Asking, queries: Mapping[str, Question]) -> dict[str, Any]:
    await asking.once(RECONCILE, MAY, {})
    found: dict[str, Answered] = {}
    for name, query in queries.items():
        if not query.said:
            found[name] = []
            continue
        asked, candidates = await asked_of(asking, RECONCILE, query.said)
        found[name] = meant(candidates, asked, min(query.limit, MOST))[0]
    codes = sorted({person.code for persons in found.values() for person in persons})
    caller, row = await asking.once(RECONCILE, NAMED, {"codes": codes})
    lines = shown_called([{**line, "called": line["name"]} for line in row["found"]], caller)
    called = {line["code"]: line["called"] or "" for line in lines}
    return {
        name: {"result": [_candidate(person, called) for person in persons if person.code in called]}
        for name, persons in found.items()
    }


def _candidate(person: Any, called: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": person.code, "name": called[person.code], "type": [TYPE], "match": person.verdict == "known",
        "score": round(100 / (1 + 2**-person.weight), 2),
        "features": [{"id": name, "value": name in person.agrees} for name in (*person.agrees, *person.differs)],
    }  # fmt: skip


async def _extended(asking: Asking, extension: Extension) -> dict[str, Any]:
    """The values of properties, with numbers masked."""
    declared = entity_types()["person"].properties
    names = [name for name in extension.properties if name in declared]
    stored = {asked: code_of(asked, "person") for asked in extension.ids}
    told = {"codes": sorted(set(stored.values())), "names": names, "properties": orjson.dumps(names).decode()}
    caller, row = await asking.once(RECONCILE, EXTENDED, told)
    shown = shown_values(row["found"], entity_types()["person"], asking.hub.keyring, caller)
    values = {(line["code"], line["property"]): line["value"] for line in shown}
    rows = {
        asked: {name: [{"str": values[code, name]}] if values.get((code, name)) else [] for name in names}
        for asked, code in stored.items()
    }
    return {"meta": [{"id": name, "name": declared[name].title} for name in names], "rows": rows}


@router.get("/suggest/entity", operation_id="reconcile_suggest_entity", summary="A code that was typed")
async def suggest_entity(asking: KeyedDep, prefix: WordParam) -> Response:
    """The person of a whole code. Names are not looked for here: they would stand in the address."""
    try:
        codes = [code_of(prefix, "person")]
    except Problem:
        codes = []
    _, row = await asking.once(RECONCILE, NAMED, {"codes": codes})
    return _told(
        {"result": [{"id": line["code"], "name": line["name"] or "", "notable": [TYPE]} for line in row["found"]]}
    )


@router.get("/suggest/property", operation_id="reconcile_suggest_property", summary="Properties by their beginning")
async def suggest_property(asking: KeyedDep, prefix: WordParam) -> Response:
    """The properties of a person whose name or title holds the word."""
    await asking.once(RECONCILE, MAY, {})
    word = prefix.lower()
    return _told({"result": [line for line in _properties() if word in line["id"] or word in line["name"].lower()]})


@router.get("/suggest/type", operation_id="reconcile_suggest_type", summary="Types by their beginning")
async def suggest_type(asking: KeyedDep, prefix: WordParam) -> Response:
    """Persons are what is reconciled."""
    await asking.once(RECONCILE, MAY, {})
    return _told({"result": [TYPE] if prefix.lower() in f"{TYPE['id']} {TYPE['name']}" else []})


@router.get("/properties", operation_id="reconcile_properties", summary="Properties that can be fetched")
async def properties(
    asking: KeyedDep,
    type: Annotated[str, Query(max_length=64)] = "person",
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> Response:
    """What `extend` can give of a person."""
    await asking.once(RECONCILE, MAY, {})
    return _told({"type": type, "limit": limit, "properties": _properties()[:limit] if type == "person" else []})


@router.get("/preview", operation_id="reconcile_preview", summary="A person in short, as a page")
async def preview(asking: KeyedDep, id: Annotated[str, Query(max_length=64)]) -> Response:
    """Name, sex, birth date, phone and address with numbers masked."""
    found = await _extended(asking, Extension([id], list(SHOWN)))
    titles = {line["id"]: line["name"] for line in found["meta"]}
    cells = {name: values[0]["str"] for row in found["rows"].values() for name, values in row.items() if values}
    lines = "".join(
        f"<tr><th>{html.escape(titles[name])}</th><td>{html.escape(value)}</td></tr>" for name, value in cells.items()
    )
    page = f'<!doctype html><html lang="zh"><meta charset="utf-8"><title>OneGrid</title><table>{lines}</table></html>'
    return Response(page, headers={**HEADERS, "Content-Security-Policy": "default-src 'none'"}, media_type="text/html")


def _properties() -> list[dict[str, str]]:
    return [{"id": name, "name": found.title} for name, found in entity_types()["person"].properties.items()]


def _told(body: Any) -> Response:
    return Response(orjson.dumps(body), headers=HEADERS, media_type="application/json")
