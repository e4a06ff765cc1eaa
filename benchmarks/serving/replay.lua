-- Replays the requests of a file, round and round, for wrk; at the end, one line of JSON with what came of it.
--
--     wrk ... -s replay.lua URL -- FILE START
--
-- The file holds requests, each behind a line with its length. The seven characters @@@@@@@ stand for a number that is
-- another one in every request. START says where in the file to begin, and from which number to count.

local COUNTER = "@@@@@@@"
local requests, position, counter = {}, 0, 0

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  local length = file:read("*n")
  while length do
    file:read(1)
    local text = file:read(length)
    local at = text:find(COUNTER, 1, true)
    requests[#requests + 1] = at and { text:sub(1, at - 1), text:sub(at + #COUNTER) } or text
    length = file:read("*n")
  end
  file:close()
  position, counter = tonumber(arguments[2]) % #requests, tonumber(arguments[2]) % 9000000
end

function request()
  position = position % #requests + 1
  local chosen = requests[position]
  if type(chosen) == "string" then
    return chosen
  end
  counter = (counter + 1) % 9000000
  return chosen[1] .. (1000000 + counter) .. chosen[2]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.6f, "bytes": %d, "p50_ms": %.3f, "p99_ms": %.3f, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6, summary.bytes,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
