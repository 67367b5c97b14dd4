-- Fetches a page by https, or serves lines by TLS: LuaSec over the streams of luring.co.

local USAGE = [=[
Usage: lua tls.lua [-a FILE] [-t SECONDS] https://HOST[:PORT][/PATH]
       lua tls.lua [-t SECONDS] --serve CERTIFICATE KEY [PORT]
Writes the page to the standard output. The server's certificate has to be for HOST, and signed by
one in FILE, /etc/ssl/certs/ca-certificates.crt unless given. With --serve, says each line back in
capitals, at PORT of this machine; without it, or with 0, the kernel chooses one. Whatever takes
longer than SECONDS, 30 unless given, is given up. Needs LuaSec (Debian's package lua-sec).]=]

local co = require "luring.co"
local luring = require "luring"

local SIZE = 65536 -- bytes that are read at once, and of the longest line

---@return never
local function fail(...)
    io.stderr:write("tls.lua: ", table.concat({ ... }, ": "), "\n")
    os.exit(1)
end

if arg[1] == "--help" then
    print(USAGE)
    os.exit(0)
end
local authorities, patience = "/etc/ssl/certs/ca-certificates.crt", 30
local place = 1
while arg[place] == "-a" or arg[place] == "-t" do
    local word = arg[place + 1] or ""
    if arg[place] == "-a" then
        authorities = word
    else
        patience = tonumber(word)
        if not (patience and patience > 0) then fail(("-t takes a number, not %s (see --help)"):format(word)) end
    end
    place = place + 2
end

local found, ssl = pcall(require, "ssl")

-- ---- TLS over a stream ----

-- Of the libraries that distributions package, LuaSec alone encrypts, and only into a descriptor: it gets
-- one end of a pair of sockets, and never waits there. Two tasks carry what is encrypted between the other
-- end and the stream, so that all that comes from the peer or goes to it passes through luring.

local Tls = {}
Tls.__index = Tls

-- Waits until LuaSec can go on: true, or nil and why it can't.
local function wait(self, why)
    if why == "unexpected eof while reading" then why = self.broken or "the connection was cut" end
    if why ~= "wantread" and why ~= "wantwrite" then return nil, why end
    return co.timeout(patience, co.poll, self.fd, why == "wantread" and "r" or "w")
end

-- What there is, at least a byte; nil alone when the peer has said that this is all, or nil and what
-- is wrong. A connection that ends without a word may have been cut by anybody, and is an error.
local function receive(self)
    while true do
        if self.next == "closed" then return nil end
        if self.next then
            local ready, message = wait(self, self.next)
            if not ready then return nil, message end
        end
        if self.stopping then return nil, "stopping" end
        local all, why, some = self.secure:receive(SIZE)
        local data = all or some or ""
        self.next = why -- after these data: an error is told once
        if data ~= "" then return data end
    end
end

function Tls:read()
    local data = self.unread:sub(self.at)
    self.unread, self.at = "", 1
    if data ~= "" then return data end
    return receive(self)
end

-- A line without its end; nil at the end, and nil and what is wrong, also in the middle of a line.
function Tls:line()
    local from = self.at
    while true do
        local last = self.unread:find("\n", from, true)
        if last then
            local line = self.unread:sub(self.at, last - 1):gsub("\r$", "")
            self.at = last + 1
            return line
        end
        local rest = self.unread:sub(self.at)
        if #rest > SIZE then return nil, "line too long" end
        local more, message = receive(self)
        if not more then return nil, message or rest ~= "" and "half a line" or nil end
        self.unread, self.at, from = rest .. more, 1, #rest + 1
    end
end

-- Writes all of its strings: true, or nil and what is wrong.
function Tls:write(...)
    local data = table.concat { ... }
    local sent = 0
    while sent < #data do
        if self.broken then return nil, self.broken end
        local all, why, so_far = self.secure:send(data, sent + 1)
        sent = all or so_far
        if not all then
            local ready, message = wait(self, why)
            if not ready then return nil, message end
        end
    end
    return true
end

-- Says that this is all, and waits until that is on its way.
function Tls:close()
    if self.broken or not wait(self, "wantwrite") then return end
    self.secure:close()
    co.timeout(patience, function() self.sender:join() end)
end

-- It has no names, in certificates either.
local function is_address(host) return host:find("^[%d.]+$") or host:find(":", 1, true) end

-- Calls `f` with a connection over `stream`, and ends it: what `f` gives, or nil and why there is none.
local function over_tls(stream, context, host, f)
    local near, far_end = luring.socketpair()
    if near < 0 then return nil, luring.strerror(-near) end
    local socket = { getfd = function() return near end, setfd = function() end }
    local secure, why = ssl.wrap(socket, context)
    if not secure then
        luring.close_fd(near)
        luring.close_fd(far_end)
        return nil, why
    end
    return co.scope(function(s)
        local far = co.stream(far_end)
        local self = setmetatable({ secure = secure, fd = near, unread = "", at = 1 }, Tls)
        s:defer(function()
            -- Makes room for the last word, with which LuaSec would wait.
            far:settimeout(0)
            repeat until not far:read()
            secure:close()
        end)
        secure:settimeout(0)
        stream:settimeout(nil, patience)
        -- What can't be passed on any more is dropped: who writes it finds `broken`, and no full socket.
        local function carry(from, to)
            local data, message
            local ok = true
            repeat
                data, message = from:read()
                if data and ok then ok, message = to:write(data) end
                if message == "stopping" then self.stopping = true else self.broken = self.broken or message end
            until not data
            to:shutdown()
        end
        self.sender = co.background(carry, far, stream)
        co.background(carry, stream, far)

        if host and not is_address(host) then secure:sni(host) end
        local function handshake()
            local done, message
            repeat
                done, message = secure:dohandshake()
                if done then return true end
                done, message = wait(self, message)
            until not done
            return nil, message
        end
        local ok, message = co.timeout(patience, handshake)
        if ok then ok, message = f(self) end
        self:close()
        return ok, message
    end)
end

-- Whether a certificate is for a host. LuaSec knows whose it is, and leaves this to the program.
local function is_for(certificate, host)
    local names = certificate:extensions()["2.5.29.17"] or {} -- the subject's alternative names
    if is_address(host) then
        for _, address in ipairs(names.iPAddress or {}) do
            if address == host then return true end
        end
        return false
    end
    host = host:lower()
    for _, written in ipairs(names.dNSName or {}) do
        local name = written:lower()
        -- A star stands for one word, the first.
        if name == host or name:find("^%*%.[^.]+%.") and name:sub(2) == host:match("^[^.]+(.*)$") then return true end
    end
    return false
end

-- ---- the client ----

local function page(tls, host, authority, path)
    if not is_for(tls.secure:getpeercertificate(), host) then return nil, "its certificate is for another name" end
    local ok, message = tls:write("GET ", path, " HTTP/1.0\r\nHost: ", authority, "\r\nConnection: close\r\n\r\n")
    if not ok then return nil, message end
    local line
    line, message = tls:line()
    local status = (line or ""):match("^HTTP/1%.%d (%d%d%d.*)$")
    if not status then return nil, message or "this is no HTTP answer" end
    if status:sub(1, 1) ~= "2" then return nil, status end
    local left = math.huge
    repeat
        line, message = tls:line()
        if not line then return nil, message or "half an answer" end
        left = tonumber(line:lower():match("^content%-length: *(%d+)%s*$")) or left
    until line == ""
    while left > 0 do
        local data
        data, message = tls:read()
        if not data then
            if left == math.huge and not message then break end
            return nil, message or "half an answer"
        end
        left = left - #data
        ok, message = co.stdout:write(data)
        if not ok then return nil, "standard output: " .. message end
    end
    return true
end

local function fetch(url)
    local authority, path = url:match("^[Hh][Tt][Tt][Pp][Ss]://([^/?#]+)([^#]*)")
    local host, port = (authority or ""):match("^%[([%x:.]+)%]:?(%d*)$")
    if not host then host, port = (authority or ""):match("^([%w.-]+):?(%d*)$") end
    if not host or url:find("[%c ]") then fail("which URL? It begins with https:// (see --help)") end
    local number = tonumber(port) or 443
    if number > 65535 then fail(url, "a port is a number up to 65535") end
    local context, message = ssl.newcontext {
        mode = "client", protocol = "any", options = { "no_sslv3", "no_tlsv1", "no_tlsv1_1" },
        verify = "peer", cafile = authorities,
    }
    if not context then fail(authorities, message) end
    local stream
    stream, message = co.connect(host, number, { timeout = patience, nodelay = true })
    if not stream then fail(url, message) end
    if path:sub(1, 1) ~= "/" then path = "/" .. path end
    local ok
    ok, message = over_tls(stream, context, host, function(tls) return page(tls, host, authority, path) end)
    if not ok then fail(url, message) end
end

-- ---- the server ----

local function converse(tls)
    local line, message = tls:line()
    while line do
        local ok
        ok, message = tls:write(line:upper(), "\n")
        if not ok then return nil, message end
        line, message = tls:line()
    end
    if message and message ~= "stopping" then return nil, message end
    return true
end

local function serve(certificate, key, port)
    local number = tonumber((port or "0"):match("^%d+$"))
    if not number or number > 65535 then fail(("PORT is a number up to 65535, not %s (see --help)"):format(port)) end
    local context, message = ssl.newcontext {
        mode = "server", protocol = "any", options = { "no_sslv3", "no_tlsv1", "no_tlsv1_1" },
        certificate = certificate, key = key,
    }
    if not context then fail(certificate, message) end
    local server
    server, message = co.listen("127.0.0.1", number)
    if not server then fail(message) end
    print("listening on port " .. select(2, server:address()))
    io.stdout:flush()
    co.background(function()
        co.signal("TERM", "INT")
        server:stop(patience)
    end)
    server:serve(function(client) return over_tls(client, context, nil, converse) end, {
        on_error = function(err) io.stderr:write("tls.lua: a client: ", tostring(err), "\n") end,
    })
end

local function main()
    if not found then fail("there is no LuaSec for this Lua (Debian's package lua-sec)") end
    if arg[place] ~= "--serve" then return fetch(arg[place] or "") end
    if not arg[place + 2] then fail("which CERTIFICATE and KEY? (see --help)") end
    serve(arg[place + 1], arg[place + 2], arg[place + 3])
end

-- Raises an error where io_uring is refused, as in many containers.
local ok, err = pcall(co.run, main)
if not ok then fail(tostring(err)) end
