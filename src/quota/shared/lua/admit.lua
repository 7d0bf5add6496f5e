-- One decision over everything that an exchange asks: all of it is charged, or nothing.
-- KEYS  marker of the exchange, then its buckets
-- ARGV  id of the exchange, lifetime of the marker (ms), lifetime of a lease (ms), JSON: what is asked of each bucket
-- Reply {outcome, time, repaired}, then of each bucket used, remaining, reset, wait (-1: never)
-- Outcome 0: refused, 1: passed, 2: a calendar period is not the present one; nothing was charged.
local id, marker_ms, lease_ms, all = ARGV[1], ARGV[2], tonumber(ARGV[3]), cjson.decode(ARGV[4])

-- Nothing asked is never refused, also of a bucket that a settlement has overdrawn.
local function wait_of(asked, found)
  if asked[2] == 0 then return 0 end
  if asked[2] > asked[4] or asked[3] <= 0 then return -1 end
  if asked[1] == RATE then
    local over = found.level + asked[2] * asked[6] - asked[4] * asked[6]
    return over <= 0 and 0 or math.ceil(over / asked[3])
  end
  if found.level + asked[2] <= asked[3] then return 0 end
  return asked[1] == BUDGET and math.max(1, asked[7] - now) or 1000
end

for _, asked in ipairs(all) do
  if is_stale(asked) then return {2, now, repaired} end
end

local found, waits, notes, refused = {}, {}, {}, false
for i, asked in ipairs(all) do
  found[i] = look(KEYS[i + 1], asked)
  waits[i] = wait_of(asked, found[i])
  if waits[i] ~= 0 then
    -- A limit in shadow mode: its settlement must know that nothing was charged.
    notes[KEYS[i + 1]] = '-'
    if asked[5] == 1 then refused = true end
  elseif asked[1] == BUDGET then
    notes[KEYS[i + 1]] = asked[8]
  end
end

local function charge(key, asked, level)
  if asked[1] == RATE then
    level.level = level.level + asked[2] * asked[6]
    keep_debt(key, level.level, asked[3])
  elseif asked[1] == BUDGET then
    level.level = level.level + asked[2]
    keep_budget(key, level, level.level, asked[8], asked[7])
  else
    level.level = level.level + asked[2]
    redis.call('ZREMRANGEBYSCORE', key, '-inf', text(now))
    redis.call('ZADD', key, text(now + lease_ms), id)
    redis.call('PEXPIRE', key, text(lease_ms + 1000))
  end
end

if not refused and not read('GET', KEYS[1]) then
  redis.call('SET', KEYS[1], 'open' .. (next(notes) and cjson.encode(notes) or ''), 'PX', marker_ms)
  for i, asked in ipairs(all) do
    if waits[i] == 0 and asked[2] > 0 then charge(KEYS[i + 1], asked, found[i]) end
  end
end

local reply = {refused and 0 or 1, now, repaired}
for i, asked in ipairs(all) do
  tell(reply, asked, found[i])
  reply[#reply + 1] = waits[i]
end
return reply
