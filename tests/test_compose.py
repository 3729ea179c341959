"""The containers: as the compose specification wants them, as the program reads its settings, and closed.

There need be no container engine: what is declared is held against the specification's schema, against the program, and
against the installed Airflow; the script of secrets is run.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from onegrid.cli import COMMANDS
from onegrid.postgres import ROLES

ROOT = Path(__file__).parent.parent
BUILT = {"onegrid": "10001", "object-store": "10002"}  # target -> user
CLUSTER = {"broker", "airflow-worker-1", "airflow-worker-2"}
AIRFLOW = {"airflow-scheduler", "airflow-dag-processor", "airflow-api-server", "airflow-triggerer"}
WORKERS = {"airflow-scheduler", "airflow-worker-1", "airflow-worker-2"}  # they run tasks
PINNED = re.compile(r"(?:[\w.-]+/)*[\w.-]+:\d[\w.]*")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


ASKED = """
import json, sys
from importlib import import_module
from pathlib import Path
import airflow, yaml
from airflow.cli.cli_parser import get_parser
from airflow.executors.base_executor import BaseExecutor
from airflow.executors.executor_loader import ExecutorLoader
from airflow.providers.celery.get_provider_info import get_provider_info

asked = json.load(sys.stdin)
config = Path(airflow.__file__).parent / "config_templates" / "config.yml"
sections = {**yaml.safe_load(config.read_text("utf-8")), **get_provider_info()["config"]}
for words in asked["commands"]:
    get_parser().parse_args(words)
for name in asked["executors"]:
    module, _, attribute = ExecutorLoader.executors.get(name, name).rpartition(".")
    assert issubclass(getattr(import_module(module), attribute), BaseExecutor), name
print(json.dumps({
    f"{section}__{name}".upper(): bool(option.get("sensitive"))
    for section, found in sections.items() for name, option in found["options"].items()
}))
"""


def installed_airflow(commands: list[list[str]] = [], executors: list[str] = []) -> dict[str, bool]:  # noqa: B006
    """Every option of the installed Airflow and its Celery executor, and whether it is sensitive; fails when it does not
    know a command or cannot load an executor. In a process of its own: to import Airflow is to set up its logging.
    """
    asked = json.dumps({"commands": commands, "executors": executors})
    words = [sys.executable, "-W", "ignore", "-c", ASKED]
    done = subprocess.run(words, input=asked, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, bool] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def airflow_options() -> dict[str, bool]:
    """SECTION__OPTION -> whether it is sensitive."""
    return installed_airflow()


def held(service: dict[str, Any]) -> set[str]:
    """The secrets that are mounted into a service."""
    return {secret if isinstance(secret, str) else secret["source"] for secret in service.get("secrets", ())}


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def test_the_file_is_what_the_compose_specification_wants() -> None:
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_part_of_the_hub_is_a_service(services: dict[str, dict[str, Any]]) -> None:
    assert set(services) == {"postgres", "object-store", "prepare", "api", "webhooks", *AIRFLOW, *CLUSTER}
    assert {name for name, service in services.items() if service.get("profiles") == ["cluster"]} == CLUSTER
    for name in AIRFLOW:
        assert services[name]["entrypoint"][-1] == "airflow"
        assert services[name]["command"][0] == name.removeprefix("airflow-")


def test_every_service_that_stays_says_whether_it_is_well(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        if name == "prepare":
            assert service["restart"] == "no"
            continue
        assert service["restart"] == "unless-stopped", name
        assert service["healthcheck"]["test"], name


def test_nothing_starts_before_what_it_needs(services: dict[str, dict[str, Any]]) -> None:
    ready, done = {"condition": "service_healthy"}, {"condition": "service_completed_successfully"}
    assert services["prepare"]["depends_on"] == {"postgres": ready}
    for name in ("api", "webhooks", *AIRFLOW):
        assert services[name]["depends_on"]["prepare"] == done
    tasks = {"prepare": done, "object-store": ready, "airflow-api-server": ready}
    assert services["airflow-scheduler"]["depends_on"] == tasks
    for name in CLUSTER - {"broker"}:
        assert services[name]["depends_on"] == {**tasks, "broker": ready}


def test_the_health_checks_are_commands_of_the_installed_airflow(services: dict[str, dict[str, Any]]) -> None:
    tests = [services[name]["healthcheck"]["test"] for name in AIRFLOW]
    commands = [services[name]["command"] for name in (*AIRFLOW, *CLUSTER - {"broker"})]
    installed_airflow(commands=[*commands, *(test[2:] for test in tests if test[1] == "airflow")])
    for name in CLUSTER - {"broker"}:
        assert f"celery@{services[name]['hostname']}" in services[name]["healthcheck"]["test"][1]


def test_the_executors_that_may_be_chosen_load(services: dict[str, dict[str, Any]]) -> None:
    """A resolver is content with versions that cannot be imported together: only loading them tells."""
    chosen = services["airflow-scheduler"]["environment"]["AIRFLOW__CORE__EXECUTOR"]
    default = re.fullmatch(r"\$\{AIRFLOW_EXECUTOR:-(\S+)\}", chosen)
    assert default
    installed_airflow(executors=[default[1], "CeleryExecutor"])


def test_variables_are_those_that_the_program_and_airflow_read(
    services: dict[str, dict[str, Any]], airflow_options: dict[str, bool]
) -> None:
    read = set(re.findall(r'"(ONEGRID_[A-Z_]+)"', text("onegrid/settings.py") + text("dags/sync.py")))
    for name in ("prepare", "api", *AIRFLOW, "airflow-worker-1"):
        environment = services[name]["environment"]
        assert {key for key in environment if key.startswith("ONEGRID_")} <= read, name
        for key in environment:
            if key.startswith("AIRFLOW__"):
                option = key.removeprefix("AIRFLOW__").removesuffix("_CMD")
                assert option in airflow_options, key
                assert not key.endswith("_CMD") or airflow_options[option], key
        if name != "api":
            assert environment["AIRFLOW_HOME"] == f"{services['api']['environment']['ONEGRID_HOME']}/airflow"


def test_ports_agree_and_are_open_to_this_machine_alone(services: dict[str, dict[str, Any]]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"api": ["127.0.0.1:8000:8000"], "airflow-api-server": ["127.0.0.1:8080:8080"]}
    assert services["api"]["command"] == ["--host", "0.0.0.0", "--port", "8000"]
    options = {name: dict.fromkeys(flag for flags, _ in options for flag in flags) for name, _, _, options in COMMANDS}
    name, *rest = services["prepare"]["command"]
    assert {word for word in rest if word.startswith("--")} <= set(options[name])
    defaults = {flags[0]: more.get("default") for _, _, _, more_ in COMMANDS if _ for flags, more in more_}
    assert defaults["--airflow-port"] == 8080
    environment = services["airflow-scheduler"]["environment"]
    assert environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://airflow-api-server:8080/execution/"


def test_secrets_come_from_files_and_there_is_no_default_password(compose: dict[str, Any]) -> None:
    assert all(list(secret) == ["file"] for secret in compose["secrets"].values())
    assert {name for service in compose["services"].values() for name in held(service)} == set(compose["secrets"])
    for service in compose["services"].values():
        said = json.dumps([service.get("environment"), service.get("command"), service["image"]])
        assert set(re.findall(r"/run/secrets/(\w+)", said)) <= held(service)
        for name, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|TOKEN|SECRET|CREDENTIAL|_KEY|DATABASE_URL|BROKER_URL", name):
                assert "/run/secrets/" in value or name == "ONEGRID_KEY_FILE", name
    assert "POSTGRES_HOST_AUTH_METHOD" not in text("docker-compose.yml")


def test_each_service_holds_what_it_needs_and_no_more(services: dict[str, dict[str, Any]]) -> None:
    """Who comes in through Airflow's pages finds neither the registry's password nor its key; the API's role cannot
    change the log it writes; the password that may do everything is the preparing service's alone."""
    secrets = {name: held(service) for name, service in services.items()}
    tasks = {"database_url", "roles", "s3_credentials", "broker_url", "feeds"}
    assert secrets == {
        "postgres": {"postgres_password"},
        "object-store": {"s3_config"},
        "prepare": {"setup_url", "roles"},
        "api": {"database_url", "roles"},
        "webhooks": {"database_url", "roles"},
        "broker": {"broker_config"},
        **{name: tasks if name in WORKERS else set() for name in (*AIRFLOW, *WORKERS)},
    }
    mounts = {name: [mount.split(":") for mount in service.get("volumes", ())] for name, service in services.items()}
    keys = {name: mount[2:] for name, found in mounts.items() for mount in found if mount[0] == "keys"}
    assert keys == {"prepare": [], "api": ["ro"], "webhooks": ["ro"], **{name: ["ro"] for name in WORKERS}}


def test_the_networks_are_closed_but_for_ports_and_feeds(compose: dict[str, Any]) -> None:
    on: dict[str, set[str]] = {name: set() for name in compose["networks"]}
    for name, service in compose["services"].items():
        for network in service["networks"]:
            on[network].add(name)
    assert {name for name, found in compose["networks"].items() if (found or {}).get("internal")} == {"inner", "store"}
    assert on["store"] == {"object-store", *WORKERS}, "who is on it needs no key to read what is stored"
    assert on["outer"] == {"api", "webhooks", "airflow-api-server", *WORKERS}
    assert on["inner"] == set(compose["services"]) - {"object-store"}


def test_volumes_are_named_and_the_sources_are_read_only(compose: dict[str, Any]) -> None:
    mounts = [mount for service in compose["services"].values() for mount in service.get("volumes", ())]
    assert {mount.split(":")[0] for mount in mounts if re.match(r"[a-z]+:", mount)} == set(compose["volumes"])
    assert all(mount.endswith((":/sources:ro", ":/data:ro")) for mount in mounts if "SOURCES" in mount)
    owned = re.search(r"install -d -o onegrid [^/]*(/.*)", text("Dockerfile"))
    assert owned, "a new volume takes its owner from the folder in the image"
    assert {mount.split(":")[1] for mount in mounts if mount.startswith(("airflow:", "keys:"))} <= set(owned[1].split())
    assert "VOLUME" not in text("Dockerfile")


def test_no_service_has_rights_it_does_not_need(services: dict[str, dict[str, Any]]) -> None:
    users = dict(re.findall(r"(?:useradd|adduser)\s.*?(?:-u|--uid)\s(\d+)\s.*?(onegrid|store)\b", text("Dockerfile")))
    assert users == {"10002": "store", "10001": "onegrid"}
    stages = re.split(r"^FROM ", text("Dockerfile"), flags=re.MULTILINE)[1:]
    assert [re.findall(r"^USER (\w+)", stage, re.MULTILINE)[-1] for stage in stages] == ["store", "onegrid"]
    for name, service in services.items():
        if "build" in service:
            assert service["build"]["target"] in BUILT
        else:
            assert PINNED.fullmatch(service["image"]), name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["read_only"], name
        assert "build" in service or service["user"] not in ("root", "0"), name
        assert "privileged" not in service, name


def test_the_image_holds_every_package_from_the_lock() -> None:
    project = tomllib.loads(text("pyproject.toml"))
    copied = set(re.findall(r"^COPY (\w+) \w+$", text("Dockerfile"), re.MULTILINE))
    assert {name.split(".")[0] for name in project["tool"]["setuptools"]["packages"]} | {"deploy"} == copied
    assert "--no-deps -r requirements.lock" in text("Dockerfile")
    assert re.search(r"^FROM python:3\.11-slim AS onegrid$", text("Dockerfile"), re.MULTILINE)
    assert 'CMD ["run"' in text("Dockerfile")


def test_the_script_makes_every_secret_once_and_closed(compose: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    script = tmp_path / "deploy" / "secrets.sh"
    script.write_text(text("deploy/secrets.sh"), "utf-8")
    made = [subprocess.run(["sh", str(script)], capture_output=True, text=True, check=True) for _ in range(2)]
    folder = tmp_path / "secrets"
    assert folder.stat().st_mode & 0o777 == 0o700
    wanted = {Path(secret["file"]).name for secret in compose["secrets"].values()}
    assert {path.name for path in folder.iterdir()} == wanted
    assert made[1].stdout == ""
    assert {name: (folder / name).stat().st_mode & 0o777 for name in wanted} == {
        name: 0o644 if name == "feeds" else 0o444 for name in wanted
    }
    held = {name: (folder / name).read_text("utf-8") for name in wanted}
    assert held["postgres_password"] in held["setup_url"]
    roles = json.loads(held["roles"])
    assert set(roles) == set(ROLES)
    assert len(set(roles.values())) == len(ROLES)
    assert held["database_url"] == f"postgresql://onegrid_app:{roles['onegrid_app']}@postgres/onegrid\n"
    config = json.loads(held["s3_config"])["identities"][0]["credentials"][0]
    assert config["accessKey"] in held["s3_credentials"]
    assert config["secretKey"] in held["s3_credentials"]
    assert re.search(r"requirepass (\w+)", held["broker_config"])[1] in held["broker_url"]  # type: ignore[index]
    for value in held.values():
        assert not any(value.strip() in one.stdout + one.stderr for one in made)


def test_feeds_variables_reach_the_program_from_their_secret(tmp_path: Path) -> None:
    script, secret = text("deploy/with_feeds.sh"), tmp_path / "feeds"
    secret.write_text("# a note\nPOPULATION_DB='mysql://u:p$1@h/d'\n", "utf-8")
    (tmp_path / "with_feeds.sh").write_text(script.replace("/run/secrets/feeds", str(secret)), "utf-8")
    words = ["sh", str(tmp_path / "with_feeds.sh"), "sh", "-c", 'printf %s "$POPULATION_DB|$0"', "as it is"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout == "mysql://u:p$1@h/d|as it is"
