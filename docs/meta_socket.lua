---@meta luring.co.socket

-- For editors: lua-language-server and its kin. The shape is LuaSocket's, whose documentation says more; what differs
-- stands in docs/co.md.

---@class luring.co.socket
---@field _VERSION string
---@field BLOCKSIZE integer how much a source reads at once
---@field sinkt table<string, function>
---@field sourcet table<string, function>
local socket = {}

---A connection, a server, or a socket that will be one. All that waits here makes a task wait.
---@class luring.co.socket.tcp
local tcp = {}

---@class luring.co.socket.dns
local dns = {}
socket.dns = dns

---@alias luring.co.socket.family "inet"|"inet6"|"unix"

---A socket that is neither connected nor bound.
---@return luring.co.socket.tcp
function socket.tcp() end

---One that takes addresses of IPv4 alone.
---@return luring.co.socket.tcp
function socket.tcp4() end

---One that takes addresses of IPv6 alone.
---@return luring.co.socket.tcp
function socket.tcp6() end

---A connection to a host, from an address of this machine if one is given.
---@param host string may be "unix:/path"
---@param port integer|string
---@param from? string
---@param from_port? integer
---@return luring.co.socket.tcp? connection
---@return string? message
function socket.connect(host, port, from, from_port) end

socket.connect4, socket.connect6 = socket.connect, socket.connect

---A server.
---@param host string "*" is every address
---@param port integer|string
---@param backlog? integer
---@return luring.co.socket.tcp? server
---@return string? message
function socket.bind(host, port, backlog) end

---Waits until one of these can be read or written, or for so many seconds: the lists of those that can.
---@param readers table[]?
---@param writers table[]?
---@param seconds? number
---@return table readable
---@return table writable
---@return "timeout"? message
function socket.select(readers, writers, seconds) end

---@return number seconds since 1970
function socket.gettime() end

---@param seconds number
function socket.sleep(seconds) end

---The arguments behind the first n.
---@param n integer
---@param ... any
---@return any ...
function socket.skip(n, ...) end

---A function that gives its arguments, or raises the second for `protect` if the first is nil or false.
---@param finalizer? fun()
---@return fun(...: any): any...
function socket.newtry(finalizer) end

---@param ... any
---@return any ...
function socket.try(...) end

---The function that calls `f`, and gives nil and the message of what `try` raises in it.
---@param f function
---@return function
function socket.protect(f) end

---@param kinds table<string, function>
---@return function
function socket.choose(kinds) end

---@param kind "keep-open"|"close-when-done"
---@param socket luring.co.socket.tcp
---@return table sink
function socket.sink(kind, socket) end

---@param kind "by-length"|"until-closed"
---@param socket luring.co.socket.tcp
---@param length? integer
---@return table source
function socket.source(kind, socket, length) end

---@param host string
---@return {family: luring.co.socket.family, addr: string}[]? addresses
---@return string? message
function dns.getaddrinfo(host) end

---@param host string
---@return string? address
---@return table|string all of them, or a message
function dns.toip(host) end

---@return string
function dns.gethostname() end

---@param host string may be "unix:/path"
---@param port? integer|string
---@return 1? connected
---@return string? message
function tcp:connect(host, port) end

---@param host string
---@param port? integer|string
---@return 1? bound
---@return string? message
function tcp:bind(host, port) end

---@return 1? listens
---@return string? message
function tcp:listen() end

---@return luring.co.socket.tcp? connection
---@return string? message
function tcp:accept() end

---@param data string
---@param i? integer
---@param j? integer
---@return integer? last the place of the last byte that was sent
---@return string? message
---@return integer? sent as much of it
function tcp:send(data, i, j) end

---@param pattern? integer|"*l"|"*a"|"l"|"a"
---@param prefix? string what comes before it
---@return string? data
---@return string? message
---@return string? partial
function tcp:receive(pattern, prefix) end

---How long a call may take: none, or less than 0, is for ever.
---@param seconds number?
---@param mode? "b"|"t"|"r"
---@return 1
function tcp:settimeout(seconds, mode) end

---@return number block
---@return number total
function tcp:gettimeout() end

---@param name string
---@param value? any
---@return 1? set
---@return string? message
function tcp:setoption(name, value) end

---@param name string
---@return any value
---@return string? message
function tcp:getoption(name) end

---@param mode? "send"|"receive"|"both"
---@return 1
function tcp:shutdown(mode) end

---@return 1
function tcp:close() end

---@return string? host
---@return integer|string? port
---@return luring.co.socket.family? family
function tcp:getpeername() end

---@return string? host
---@return string? port
---@return luring.co.socket.family? family
function tcp:getsockname() end

---@return integer descriptor -1 if there is none
function tcp:getfd() end

---@param fd integer
function tcp:setfd(fd) end

---Whether there are bytes that `receive` has kept.
---@return boolean
function tcp:dirty() end

---@return integer received
---@return integer sent
---@return number age
function tcp:getstats() end

---@param received? integer
---@param sent? integer
---@param age? number
---@return 1
function tcp:setstats(received, sent, age) end

return socket
