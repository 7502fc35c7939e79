"""Upload of a repository's folder to the Hugging Face Hub."""

import os
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from huggingface_hub.utils import validate_repo_id

from tatumflow.training.publish.errors import PublishError


def check_repo(repo: str) -> None:
    """Refuse a name that is no repository's, before the work for it is done.

    Raises:
        PublishError: if it is not USER/NAME.
    """
    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise PublishError(f"--repo: {' '.join(str(error).split())}; give USER/NAME") from None
    if "/" not in repo:
        raise PublishError(f"--repo: {repo!r} has no user; give USER/NAME")


def push(folder: Path, repo: str, *, private: bool) -> str:
    """Make a repository if there is none, upload the folder as one commit, and return the commit's hash.

    HF_TOKEN, or the token that `hf auth login` saved, allows it; HF_ENDPOINT names another Hub.

    Raises:
        PublishError: if the Hub cannot be reached or does not accept it.
    """
    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None)
    try:
        api.create_repo(repo, private=private, exist_ok=True)
        commit = api.upload_folder(
            repo_id=repo, folder_path=folder, commit_message="Publish with tatumflow", delete_patterns="*"
        )
    except HfHubHTTPError as error:
        status = error.response.status_code
        login = "log in with `hf auth login`, or set HF_TOKEN to a token that may write"
        advice = login if status in (401, 403) else "try again later"
        reason = " ".join((error.server_message or str(error)).split())
        raise PublishError(f"{repo}: the Hub answers {status} ({reason}); {advice}") from None
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise PublishError(f"{repo}: the Hub refuses the card ({reason}); correct it in {folder}") from None
    except Exception as error:  # the client's HTTP library, another one from version to version, has its own
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PublishError(f"{repo}: the Hub cannot be reached ({reason}); try again later") from None
    return commit.oid
