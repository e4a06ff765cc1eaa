"""Watching: subscriptions to changes, by filter, and the mailboxes that hold what their readers have not taken."""
