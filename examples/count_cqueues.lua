-- Counts bytes and lines for clients: their sockets are cqueues', the files luring's, in one loop.

local USAGE = [=[
Usage: lua count_cqueues.lua FOLDER [PORT]
Takes names of files in FOLDER, one a line, at PORT of this machine; without it, or with 0, the
kernel chooses one. The answer to each is BYTES LINES NAME, or an error. Ends at Ctrl-C. Needs
cqueues (Debian's package lua-cqueues).]=]

local co = require "luring.co"
local luring = require "luring"

---@return never
local function fail(...)
    io.stderr:write("count_cqueues.lua: ", table.concat({ ... }, ": "), "\n")
    os.exit(1)
end

if arg[1] == "--help" then
    print(USAGE)
    os.exit(0)
elseif not arg[1] then
    fail("which FOLDER? (see --help)")
end
local port = (arg[2] or "0"):match("^%d+$") and tonumber(arg[2] or 0)
if not port or port > 65535 then fail("PORT is a number up to 65535 (see --help)") end

-- Raises an error where io_uring is refused, as in many containers.
local made, loop = pcall(co.loop)
if not made then fail(loop) end
local folder = luring.open_file(arg[1], luring.O_PATH + luring.O_DIRECTORY)
if folder < 0 then fail(arg[1], luring.strerror(-folder)) end

local function need(name)
    local found, library = pcall(require, name)
    if not found then fail("needs cqueues (Debian's package lua-cqueues)") end
    return library
end
local cqueues, condition, socket = need "cqueues", need "cqueues.condition", need "cqueues.socket"

-- How many bytes and lines a file has, or nil and why that is not known. It runs in a task of luring's.
local function count(name)
    if name:find("\0", 1, true) then return nil, luring.strerror(luring.EINVAL) end
    local fd, message = co.io.openat2(folder, name, {
        flags = luring.O_RDONLY + luring.O_NONBLOCK,
        resolve = luring.RESOLVE_BENEATH, -- no way out of the folder
    })
    if not fd then return nil, message end
    local file = co.stream(fd) -- closed when the task ends
    local bytes, lines = 0, 0
    while true do
        local data
        data, message = file:read()
        if message then return nil, message end
        if not data then return bytes, lines end
        bytes = bytes + #data
        lines = lines + select(2, data:gsub("\n", ""))
    end
end

-- Runs a function in a task of luring's, while this coroutine of cqueues' waits: its first two results.
local function in_task(f, ...)
    local ended, results = condition.new(), nil
    loop:spawn(function(...)
        results = { f(...) }
        ended:signal()
    end, ...)
    while not results do ended:wait() end
    return results[1], results[2]
end

local function given(_, _, why) return why end -- in place of being raised

local function serve(client)
    client:setmode("b", "bn")
    client:onerror(given)
    while true do
        local name = client:read("*l") -- on Lua 5.1, what `for` calls can't wait
        if not name then break end
        local bytes, lines = in_task(count, name)
        local answer = bytes and ("%d %d %s"):format(bytes, lines, name) or name .. ": " .. lines
        if not client:write(answer, "\n") then break end
    end
    client:close()
end

local server = socket.listen { host = "127.0.0.1", port = port, reuseaddr = true }
server:onerror(given)
local listening, why = server:listen()
if not listening then fail("port " .. port, luring.strerror(why)) end
print("listening on port " .. select(3, server:localname()))
io.stdout:flush()

local queue = cqueues.new()
queue:wrap(function()
    while true do
        local client = server:accept()
        if client then queue:wrap(serve, client) else cqueues.sleep(0.1) end -- there are too many
    end
end)
-- luring's tasks run in here.
queue:wrap(function()
    while true do
        loop:step()
        cqueues.poll(loop)
    end
end)
-- At Ctrl-C, the interpreter raises an error: "interrupted!".
local _, result = pcall(function() return select(2, queue:loop()) end)
if tostring(result):find("interrupted!", 1, true) then os.exit(130) end
fail(tostring(result))
