-- Connections, messages between rings, timeouts and polls.

local luring = require "luring"
local drive = require "drive"

local ECANCELED, ENOENT, EALREADY, ETIME = -luring.ECANCELED, -luring.ENOENT, -luring.EALREADY, -luring.ETIME

local Others = {}

function Others:open_others()
    -- Connections that were made, that came, and of which nobody knows; and sockets that connect.
    self.connected, self.accepted, self.unsure, self.sockets = 0, 0, 0, {}
    self.listener = luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
    -- Messages that were sent; and how often each was sent and did not come.
    self.sent, self.expected = 0, {}
    self.other = luring.queue_init(8, 0)
    luring.on_message(self.other, function(_, number) self:expect(number, -1) end)
end

function Others:close_others()
    for fd in pairs(self.sockets) do luring.close_fd(fd) end
    luring.close_fd(self.listener)
    luring.queue_exit(self.other)
end

function Others:connect()
    local fd = luring.socket_fd(luring.AF_INET, luring.SOCK_STREAM)
    local ticket = self:act("connect", { fd, luring.getsockname(self.listener) }, function(res)
        if res == 0 then self.connected = self.connected + 1 else self.unsure = self.unsure + 1 end
        self.sockets[fd] = nil
        luring.close_fd(fd)
    end)
    if ticket then self.sockets[fd] = true else luring.close_fd(fd) end
end

function Others:accept()
    if self.accepting or not drive.has "accept_multishot" or not luring.can "accept_multishot" then return end
    self.accepting = self:act("accept_multishot", { self.listener, 0 }, function(res, _, over)
        if over then self.accepting = nil end
        if res < 0 then return end
        self.accepted = self.accepted + 1
        luring.close_fd(res)
    end)
end

-- Accepts those that have not come; false when all have.
function Others:accept_rest()
    self:check(self.accepted <= self.connected + self.unsure, "connections that nobody has made")
    if self.accepted >= self.connected then return false end
    self:accept()
    return self.accepting ~= nil
end

-- One that was sent, or that came: in either order.
function Others:expect(number, by)
    local left = (self.expected[number] or 0) + by
    self.expected[number] = left ~= 0 and left or nil
end

function Others:message()
    if not luring.can "msg_ring" then return end
    self.sent = self.sent + 1
    local number = self.sent
    local ticket = self:act("msg_ring", { luring.ring_fd(self.other), number % 1000, number, 0 }, function(res)
        if res == 0 then self:expect(number, 1) end
    end)
    if not ticket then self.sent = self.sent - 1 end
end

function Others:timeout()
    local after = self.dice:weigh { { 3, 0.0005 }, { 1, 50 } }
    local ticket = self:act("timeout", { after, 0, 0 }, function(res)
        self:check(res == ETIME or res == ECANCELED, "a timeout gave", res)
    end)
    if ticket then ticket.is_timeout = true end
end

function Others:update_timeout()
    local ticket = self:some_ticket(function(one) return one.is_timeout end)
    if not ticket then return end
    local name, arguments = "timeout_update", { 0.0005, ticket.key, 0 }
    if self.dice:once(2) then name, arguments = "timeout_remove", { ticket.key, 0 } end
    self:act(name, arguments, function(res)
        self:check(res == 0 or res == ENOENT or res == EALREADY or res == ECANCELED, name, "gave", res)
    end)
end

function Others:poll()
    local stream = self.dice:pick(self.streams)
    local name = self.dice:pick { "poll_add", "poll_multishot" }
    if not drive.has(name) then return end
    self:act(name, { stream.from, luring.POLLIN }, function(res)
        self:check(res == ECANCELED or res > 0 and luring.has(res, luring.POLLIN), "a poll gave", res)
    end)
end

return Others
