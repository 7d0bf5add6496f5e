-- Whether this server runs scripts and takes writes.
-- KEYS  a key of nothing else
redis.call('SET', KEYS[1], text(now), 'PX', '1000')
return {now}
