-- Sets fields of one asset's hash unless the hash holds a later (time, revision).
-- KEYS[1]: the hash. ARGV: for each field its name, time, revision and JSON. Returns the number of fields set.
local function is_later(time, revision, held)
  if time ~= held.time then return time > held.time end
  local next_own, next_held = string.gmatch(revision, '%d+'), string.gmatch(held.rev, '%d+')
  while true do
    local own, other = tonumber((next_own())), tonumber((next_held()))
    if not own or not other then return other == nil end
    if own ~= other then return own > other end
  end
end

local set = 0
for i = 1, #ARGV, 4 do
  local held = redis.call('HGET', KEYS[1], ARGV[i])
  if not held or is_later(tonumber(ARGV[i + 1]), ARGV[i + 2], cjson.decode(held)) then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 3])
    set = set + 1
  end
end
return set
