-- A key-value store with a journal. What it has answered to is on the disk: it may be killed
-- at any moment.

local USAGE = [=[
Usage: lua store.lua JOURNAL [PORT]
Keeps keys and values, and speaks as Redis does, to redis-cli or to telnet, at PORT of this
machine: GET KEY, SET KEY VALUE, DEL KEY, PING. Without PORT, or with 0, the kernel chooses one.
JOURNAL is a file that has all that was ever set: it is made if it is not there. Ends at SIGTERM
and at Ctrl-C.]=]

local co = require "luring.co"
local luring = require "luring"

local LONGEST = 1024 * 1024 -- bytes of a key or a value
local GRACE = 5 -- seconds that its clients have when it ends

---@return never
local function fail(...)
    io.stderr:write("store.lua: ", table.concat({ ... }, ": "), "\n")
    os.exit(1)
end

-- What has gone well, or the end of the program.
local function must(value, message)
    if not value then fail(message) end
    return value
end

if arg[1] == "--help" then
    print(USAGE)
    os.exit(0)
end
local path = arg[1] or fail("JOURNAL is missing (see --help)")
local port = tonumber((arg[2] or "0"):match("^%d+$"))
if not port or port > 65535 then fail(("PORT is a number from 0 to 65535, not %s (see --help)"):format(arg[2])) end

-- Raises an error where io_uring is refused, as in many containers.
local made, ring = pcall(luring.queue_init, 256, 0)
if not made then fail(ring) end

local values = {} -- by their keys: what is on the disk
local changes = co.channel(1000) -- to come into the journal, and then there

-- ---- the journal: a record for each change ----

-- A record that was written in part, or not at all, has another sum. Without the divisions it is
-- exact for as much as a record can have, and that is quicker.
local function sum(text)
    local a, b = 1, 0
    for place = 1, #text do
        a = a + text:byte(place)
        b = b + a
    end
    return b % 65521 * 65536 + a % 65521
end

local function record(change)
    local key, value = change.key, change.value or ""
    local head = ("%s %d %d "):format(change.value and "SET" or "DEL", #key, #value)
    local body = key .. value
    -- Not %d: on 32 bits Lua 5.1 has no integers as large as that.
    return ("%s%.0f\n"):format(head, sum(head .. body)) .. body .. "\n"
end

-- Takes a change over: whether the key was there.
local function apply(key, value)
    local there = values[key] ~= nil
    values[key] = value
    return there
end

-- Reads what the journal has. A record that is not whole is the last, which nobody got an answer
-- to: it is cut off. But the disk may have damaged it, or it is no journal at all: what is cut off
-- is put into another file. Returns the length of the rest.
local function read_journal(file)
    local all = must(file:read_all())
    local at = 1
    while true do
        local head, key_size, value_size, check, body = all:match("^(%u+ (%d+) (%d+) )(%d+)\n()", at)
        if not head then break end
        local value_at, stop = body + key_size, body + key_size + value_size
        if stop > #all then break end
        local text = all:sub(body, stop - 1)
        if all:sub(stop, stop) ~= "\n" or sum(head .. text) ~= tonumber(check) then break end
        apply(all:sub(body, value_at - 1), head:find("^SET") and all:sub(value_at, stop - 1) or nil)
        at = stop + 1
    end
    local rest = #all - (at - 1)
    if rest > 0 then
        local torn = must(co.open(path .. ".torn", "a"))
        must(torn:write(all:sub(at)))
        must(torn:sync())
        torn:close()
        io.stderr:write(("store.lua: %s: its last %d bytes are not whole: they are in %s.torn now\n"):format(
            path, rest, path))
        must(file:truncate(at - 1))
    end
    return at - 1
end

-- Writes at the end of the journal and waits until it is on the disk, in one go: the kernel begins
-- the sync when all has been written. Returns what both gave.
local function write_and_sync(fd, data)
    local done = co.event()
    local written, synced
    luring.reserve(ring, 2)
    luring.chain(ring, {
        luring.write(ring, fd, data, -1, function(cqe, res)
            luring.cqe_seen(ring, cqe)
            written = res
        end),
        luring.fsync(ring, fd, luring.IORING_FSYNC_DATASYNC, function(cqe, res)
            luring.cqe_seen(ring, cqe)
            synced = res
            done:set()
        end),
    })
    done:wait()
    return written, synced
end

-- Brings changes into the journal: while some are synced, others gather for the next time.
local function keep_journal(file, length)
    while true do
        local batch, records = {}, {}
        local change = changes:recv()
        while change do
            batch[#batch + 1] = change
            records[#records + 1] = record(change)
            change = changes:try_recv()
        end
        local data = table.concat(records)
        local written, synced = write_and_sync(file:getfd(), data)
        -- After a sync that failed, nobody knows what is on the disk.
        if written == #data and synced < 0 then fail(path, luring.strerror(-synced)) end
        local error = written < 0 and luring.strerror(-written) or written < #data and "written in part"
        if error then
            must(file:truncate(length))
        else
            length = length + written
        end
        for _, each in ipairs(batch) do
            each.error = error
            if not error then each.there = apply(each.key, each.value) end
            each.done:set()
        end
    end
end

-- ---- clients ----

-- What a client wants, as a list of words; nil at the end, or nil and what is wrong with it.
local function read_command(client)
    local line = client:line()
    if not line then return nil end
    local words = {}
    local count = tonumber(line:match("^%*(%d+)$"))
    if not count then -- typed by hand
        for word in line:gmatch("%S+") do words[#words + 1] = word end
        return words
    end
    if count > 3 then return nil, "too many words" end
    for place = 1, count do
        local size = tonumber((client:line() or ""):match("^%$(%d+)$"))
        if not size then return nil, "no length" end
        if size > LONGEST then return nil, "too long" end
        local word = client:read_exactly(size + 2)
        if not word then return nil end
        words[place] = word:sub(1, size)
    end
    return words
end

-- Waits until a change is on the disk, and answers.
local function change(key, value, answer)
    local it = { key = key, value = value, done = co.event() }
    changes:send(it)
    it.done:wait()
    if it.error then return "-ERR " .. path .. ": " .. it.error end
    return answer or (it.there and ":1" or ":0")
end

local commands = {
    PING = { 0, function() return "+PONG" end },
    GET = { 1, function(key)
        local value = values[key]
        return value and ("$%d\r\n"):format(#value) .. value or "$-1"
    end },
    SET = { 2, function(key, value) return change(key, value, "+OK") end },
    DEL = { 1, function(key) return change(key) end },
}

local function answer_to(words)
    local command = commands[words[1]:upper()]
    if not command then return "-ERR unknown command" end
    if #words - 1 ~= command[1] then return "-ERR wrong number of arguments" end
    return command[2](words[2], words[3])
end

local function serve(client)
    while true do
        local words, wrong = read_command(client)
        if wrong then client:write("-ERR Protocol error: ", wrong, "\r\n") end
        if not words then return end
        if words[1] and not client:write(answer_to(words), "\r\n") then return end
    end
end

-- The journal, for this process alone: only one can listen at a name, which goes when it ends.
local function open_journal()
    local file = must(co.open(path, "a+"))
    local stat = must(file:stat())
    local name = ("store.lua %d:%d:%d"):format(stat.stx_dev_major, stat.stx_dev_minor, stat.stx_ino)
    if not co.listen("unix:\0" .. name) then fail(path, "another store has it") end
    -- A new file is there for good when its folder is on the disk.
    local folder = must(co.open(path:match("^.*/") or "."))
    must(folder:sync())
    folder:close()
    return file
end

co.loop({ ring = ring }):run(function()
    local file = open_journal()
    local length = read_journal(file)
    local server = must(co.listen("127.0.0.1", port))
    local _, number = server:address()
    print("listening on port " .. number)
    io.stdout:flush()

    co.background(keep_journal, file, length)
    co.background(function()
        co.signal("TERM", "INT")
        server:stop(GRACE)
    end)
    server:serve(serve)
end)
luring.queue_exit(ring)
