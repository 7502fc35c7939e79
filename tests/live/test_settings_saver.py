"""Settings that change in a session are in the file soon, without a clean quit."""

import threading

import pytest

from tatumflow.engine.errors import SettingError
from tatumflow.live import settings_saver as module
from tatumflow.live.settings import Settings, load_settings
from tatumflow.live.settings_saver import SettingsSaver

PATIENCE = 20.0


class Session:
    """Settings that a test changes, and a saver that watches them."""

    def __init__(self, file, monkeypatch, settled=0.01):
        self.now = Settings()
        self.said = []
        self.saved = threading.Semaphore(0)
        save = module.save_settings

        def counted(settings, path):
            save(settings, path)
            self.saved.release()

        monkeypatch.setattr(module, "save_settings", counted)
        self.saver = SettingsSaver(lambda: self.now, self.now, file, self.say, settled)

    def say(self, text):
        self.said.append(text)
        self.saved.release()

    def change(self, **controls):
        self.now = self.now.with_controls(**controls)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "settings.yaml"


def test_a_change_is_saved_while_the_session_goes_on(file, monkeypatch):
    session = Session(file, monkeypatch)
    session.change(temperature=0.7)
    assert session.saved.acquire(timeout=PATIENCE)
    assert load_settings(file).controls.temperature == 0.7
    session.now = session.now.model_copy(update={"controllers": {"turn": 67}})
    assert session.saved.acquire(timeout=PATIENCE)
    assert load_settings(file).controllers == {"turn": 67}
    session.saver.close()


def test_a_change_that_is_taken_back_is_taken_back_in_the_file(file, monkeypatch):
    session = Session(file, monkeypatch)
    before = session.now.controls.temperature
    session.change(temperature=0.7)
    assert session.saved.acquire(timeout=PATIENCE)
    session.change(temperature=before)
    assert session.saved.acquire(timeout=PATIENCE)
    assert load_settings(file).controls.temperature == before
    session.saver.close()


def test_nothing_changed_leaves_no_file(file, monkeypatch):
    Session(file, monkeypatch).saver.close()
    assert not file.exists()


def test_the_last_change_is_saved_at_the_end_though_it_has_not_settled(file, monkeypatch):
    session = Session(file, monkeypatch, settled=1000.0)
    session.change(temperature=0.7)
    session.saver.close()
    assert load_settings(file).controls.temperature == 0.7


def test_what_changes_without_end_is_saved_now_and_then(file, monkeypatch):
    monkeypatch.setattr(module, "LONGEST_SECONDS", 0.05)
    monkeypatch.setattr(module, "POLL_SECONDS", 0.01)
    session = Session(file, monkeypatch, settled=1000.0)
    values = iter(range(1, 1_000_000))
    stop = threading.Event()

    def sweep():
        while not stop.wait(0.005):
            session.change(temperature=0.5 + next(values) % 100 / 100)

    moving = threading.Thread(target=sweep)
    moving.start()
    saved = session.saved.acquire(timeout=PATIENCE)
    stop.set()
    moving.join()
    session.saver.close()
    assert saved


def test_a_file_that_cannot_be_written_is_said_once_and_is_an_error_at_the_end(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    session = Session(tmp_path / "file" / "settings.yaml", monkeypatch)
    session.change(temperature=0.7)
    assert session.saved.acquire(timeout=PATIENCE)
    with pytest.raises(SettingError, match=r"settings\.yaml"):
        session.saver.close()
    assert len(session.said) == 1
