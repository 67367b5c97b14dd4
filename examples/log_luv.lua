-- Writes what clients send into a file: their sockets are luv's, the file luring's, in one loop.

local USAGE = [=[
Usage: lua log_luv.lua FILE [PORT]
Appends to FILE the lines that come to PORT of this machine; without it, or with 0, the kernel
chooses one. Says "kept" to each line that the disk has. Ends at SIGTERM or Ctrl-C, when all that
has come is kept; a client that does not take what it is told then is given up. Needs luv (Debian's
package lua-luv).]=]

local co = require "luring.co"
local luring = require "luring"

local LONGEST = 64 * 1024 -- bytes of a line
local PATIENCE = 2000     -- milliseconds after which it looks in the end who takes nothing

---@return never
local function fail(...)
    io.stderr:write("log_luv.lua: ", table.concat({ ... }, ": "), "\n")
    os.exit(1)
end

if arg[1] == "--help" then
    print(USAGE)
    os.exit(0)
elseif not arg[1] then
    fail("which FILE? (see --help)")
end
local port = (arg[2] or "0"):match("^%d+$") and tonumber(arg[2] or 0)
if not port or port > 65535 then fail("PORT is a number up to 65535 (see --help)") end

-- Raises an error where io_uring is refused, as in many containers.
local made, loop = pcall(co.loop)
if not made then fail(loop) end
local file = luring.open_file(arg[1], "a")
if file < 0 then fail(arg[1], luring.strerror(-file)) end
local found, uv = pcall(require, "luv")
if not found then fail("needs luv (Debian's package lua-luv)") end
-- luring's tasks run within uv.run(), and keep it from ending.
require("luring.luv").attach(loop, { on_error = function(err) fail(tostring(err)) end })

-- ---- the clients ----

-- Each has a `socket`, how many lines it is to be `told` of, and whether it has `ended`: nothing more
-- is taken from it.
local clients = {}

local function close(client)
    clients[client] = nil
    if not client.socket:is_closing() then client.socket:close() end
end

-- Closes a client that has ended, once it has got all that it is told.
local function finish(client)
    if not client.ended or client.told > 0 or client.socket:is_closing() then return end
    if not client.socket:shutdown(function() close(client) end) then close(client) end
end

-- ---- the file ----

local waiting = {}    ---@type { line: string, client: table }[] what is to be written
local writing = false -- whether a task does that

local function must(what, result, message)
    if not result then fail(arg[1], what, message) end
    return result
end

-- Writes what waits, all of it at once, and again what has come meanwhile. It runs in a task of luring's.
local function write_waiting()
    while waiting[1] do
        local batch, lines = waiting, {}
        waiting = {}
        for i, entry in ipairs(batch) do lines[i] = entry.line end
        local data = table.concat(lines)
        while data ~= "" do
            local written = must("write", co.io.write(file, data, -1))
            data = data:sub(written + 1)
        end
        must("fdatasync", co.io.fsync(file, luring.IORING_FSYNC_DATASYNC))
        for _, entry in ipairs(batch) do
            local client = entry.client
            client.told = client.told - 1
            if not client.socket:is_closing() then client.socket:write("kept\n") end
            finish(client)
        end
    end
    writing = false
end

local function keep(line, client)
    client.told = client.told + 1
    table.insert(waiting, { line = line, client = client })
    if writing then return end
    writing = true
    loop:spawn(write_waiting)
end

local function serve(socket)
    local client = { socket = socket, told = 0, ended = false }
    clients[client] = true
    local rest = "" -- of a line whose end has not come
    socket:read_start(function(_, data)
        if not data then
            client.ended = true
            return finish(client)
        end
        local text, from = rest .. data, 1
        local to = text:find("\n", 1, true)
        while to do
            keep(text:sub(from, to), client)
            from = to + 1
            to = text:find("\n", from, true)
        end
        rest = text:sub(from)
        if #rest > LONGEST then close(client) end
    end)
end

local server = uv.new_tcp()
local bound, why = server:bind("127.0.0.1", port)
if bound then
    bound, why = server:listen(128, function()
        local socket = uv.new_tcp()
        if not server:accept(socket) then return socket:close() end
        serve(socket)
    end)
end
if not bound then fail("port " .. port, tostring(why)) end
print("listening on port " .. server:getsockname().port)
io.stdout:flush()

-- A client that has gone raises SIGPIPE, which luv leaves to the program.
local gone = uv.new_signal()
gone:start("sigpipe", function() end)
gone:unref()

-- Nothing more is taken; the loop ends when all that has come is kept, and told.
local signals = {}
local function stop()
    server:close()
    for client in pairs(clients) do
        client.socket:read_stop()
        client.ended = true
        finish(client)
    end
    for _, signal in ipairs(signals) do signal:close() end
    local late = uv.new_timer()
    late:start(PATIENCE, PATIENCE, function()
        for client in pairs(clients) do
            if client.told == 0 then close(client) end
        end
    end)
    late:unref()
end
for _, name in ipairs { "sigint", "sigterm" } do
    local signal = uv.new_signal()
    signal:start(name, stop)
    table.insert(signals, signal)
end
uv.run()
luring.close_fd(file)
