-- Stands before every script. The time is Redis's own, in whole milliseconds; numbers are whole and below 2^53, and are
-- written with %.0f, since Lua would print large ones with an exponent.
--
-- What is asked of a bucket is a list: {kind, asked, amount, burst, enforced, a, b, c}
--   rate    kind 1: a = milliseconds of the period (one unit of debt is unit x millisecond, see src/quota/rate.ts)
--   budget  kind 2: [a, b) is the calendar period in milliseconds since the epoch, c its name
--   slots   kind 3
-- Nothing is written before everything has been looked at, but for one thing: a key that holds what no script of ours
-- wrote is deleted and counted, or it would fail every exchange that needs it.
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local RATE, BUDGET, SLOTS = 1, 2, 3
local DEBT_MAX, COUNT_MAX, DAY = 4503599627370496, 9007199254740991, 86400000
local repaired = ''

local function text(number) return string.format('%.0f', number) end

local function forget(key)
  redis.call('DEL', key)
  repaired = key
end

local function read(command, key, ...)
  local found = redis.pcall(command, key, ...)
  if type(found) ~= 'table' or found.err == nil then return found end
  if string.find(found.err, 'WRONGTYPE', 1, true) then forget(key) end
  return redis.call(command, key, ...)
end

-- A debt that was written by a clock ahead of this one flows back from now on: waiting for that time would close the
-- bucket for as long as the clock was wrong.
local function debt_of(key, amount)
  local kept = read('GET', key)
  if not kept then return 0 end
  local debt, at = string.match(kept, '^(%d+):(%d+)$')
  if not debt then
    forget(key)
    return 0
  end
  return math.max(0, tonumber(debt) - math.max(0, now - tonumber(at)) * amount)
end

local function keep_debt(key, debt, amount)
  if debt <= 0 then return redis.call('DEL', key) end
  debt = math.min(DEBT_MAX, debt)
  redis.call('SET', key, text(debt) .. ':' .. text(now), 'PX', text(math.ceil(debt / amount) + 1000))
end

-- A budget keeps its period (p: name, u: used) and the one before (q, v), so that settlements find what they charged.
local function budget_of(key, period)
  local kept = read('HMGET', key, 'p', 'u', 'q', 'v')
  if kept[1] == period then return tonumber(kept[2]) or 0, 'u', kept end
  if kept[3] == period then return tonumber(kept[4]) or 0, 'v', kept end
  return 0, nil, kept
end

local function keep_budget(key, found, used, period, ending)
  used = math.min(COUNT_MAX, math.max(0, used))
  if found.field then return redis.call('HSET', key, found.field, text(used)) end
  if found.kept[1] then
    redis.call('HSET', key, 'p', period, 'u', text(used), 'q', found.kept[1], 'v', found.kept[2] or '0')
  else
    redis.call('HSET', key, 'p', period, 'u', text(used))
  end
  redis.call('PEXPIREAT', key, text(ending + DAY))
end

local function add_to_rate(key, units, amount, period_ms)
  keep_debt(key, debt_of(key, amount) + units * period_ms, amount)
end

-- A period that is gone was reset or is long over: there is nothing to give back, and nobody to charge.
local function add_to_budget(key, units, period, ending)
  local used, field, kept = budget_of(key, period)
  if field or (units > 0 and now < ending) then
    keep_budget(key, {field = field, kept = kept}, used + units, period, ending)
  end
end

local function is_stale(asked) return asked[1] == BUDGET and (now < asked[6] or now >= asked[7]) end

local function look(key, asked)
  if asked[1] == RATE then return {level = debt_of(key, asked[3])} end
  if asked[1] == BUDGET then
    local used, field, kept = budget_of(key, asked[8])
    return {level = used, field = field, kept = kept}
  end
  return {level = tonumber(read('ZCOUNT', key, '(' .. text(now), '+inf'))}
end

local function tell(reply, asked, found)
  local used, remaining, reset = found.level, math.max(0, asked[3] - found.level), 0
  if asked[1] == RATE then
    used = math.ceil(found.level / asked[6])
    remaining = math.max(0, math.floor((asked[4] * asked[6] - found.level) / asked[6]))
    reset = math.ceil(found.level / asked[3])
  elseif asked[1] == BUDGET then
    reset = math.max(0, asked[7] - now)
  end
  reply[#reply + 1] = used
  reply[#reply + 1] = remaining
  reply[#reply + 1] = reset
end
