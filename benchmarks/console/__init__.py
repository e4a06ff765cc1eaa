"""``make bench-console``: how quickly the console answers in Chromium, beside a page that fetches all documents."""
