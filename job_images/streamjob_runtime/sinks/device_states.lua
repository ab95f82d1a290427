-- Sets fields of one device's or site's hash unless the hash holds a later revision.
-- KEYS[1]: the hash. ARGV: the revision, then names and values. Returns whether they were set.
local function is_later(revision, held)
  local next_own, next_held = string.gmatch(revision, '%d+'), string.gmatch(held, '%d+')
  while true do
    local own, other = tonumber((next_own())), tonumber((next_held()))
    if not own or not other then return false end
    if own ~= other then return own > other end
  end
end

local held = redis.call('HGET', KEYS[1], 'rev')
if held and is_later(held, ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'rev', ARGV[1], unpack(ARGV, 2))
return 1
