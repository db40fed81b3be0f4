"""Shows a report of postpay in GitLab: as the one note of a merge request, or as the one open issue about drift.

    show-report.py note plan.md
    show-report.py issue drift.md

Needs POSTPAY_NOTE_TOKEN, a project access token with the scope `api`; nothing besides Python's own library.
"""

import json
import os
import sys
import urllib.parse
import urllib.request


def call(method, path, query=None, body=None):
    """What GitLab answers. The token goes into a header, and nowhere else."""
    url = f"{os.environ['CI_API_V4_URL']}/projects/{os.environ['CI_PROJECT_ID']}/{path}"
    if query:
        url += "?" + urllib.parse.urlencode(query)
    headers = {"PRIVATE-TOKEN": os.environ["POSTPAY_NOTE_TOKEN"], "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def every(path, **query):
    """Every item of a list, page by page."""
    page = 1
    while True:
        items = call("GET", path, {**query, "per_page": 100, "page": page})
        yield from items
        if len(items) < 100:
            return
        page += 1


def main():
    kind, file = sys.argv[1:]
    start = {"note": "<!-- postpay:plan", "issue": "<!-- postpay:drift"}[kind]
    with open(file, encoding="utf-8") as report:
        text = report.read()
    # It names the project too, where a repository has several.
    marker = text.partition("\n")[0]
    if not marker.startswith(start):
        sys.exit(f"{file} is not what `postpay` wrote for this")
    me = call_user()
    if kind == "note":
        notes = f"merge_requests/{os.environ['CI_MERGE_REQUEST_IID']}/notes"
        for note in every(notes):
            if note["author"]["id"] == me and note["body"].startswith(marker):
                call("PUT", f"{notes}/{note['id']}", body={"body": text})
                return
        call("POST", notes, body={"body": text})
        return
    for issue in every("issues", state="opened", author_id=me):
        if (issue["description"] or "").startswith(marker):
            call("PUT", f"issues/{issue['iid']}", body={"description": text})
            return
    call("POST", "issues", body={"title": "postpay: the account has drifted", "description": text})


def call_user():
    """Whom the token belongs to: only what it wrote itself is written anew."""
    request = urllib.request.Request(
        f"{os.environ['CI_API_V4_URL']}/user", headers={"PRIVATE-TOKEN": os.environ["POSTPAY_NOTE_TOKEN"]}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["id"]


if __name__ == "__main__":
    main()
