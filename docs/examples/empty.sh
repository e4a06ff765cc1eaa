#!/bin/sh
# Deletes every cluster of the registry at the address that is given: empty.sh http://localhost:3000
set -eu
curl -s -X POST "$1/clusters/distinct" -H "Content-Type: application/json" -d '{"key": "id"}' |
    tr -d '[]"' | tr ',' '\n' |
    while read -r id || [ -n "$id" ]; do
        curl -s -o /dev/null -X DELETE "$1/clusters/$id/protection"
        curl -s -o /dev/null -X DELETE "$1/clusters/$id"
    done
