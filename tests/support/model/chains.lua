-- What ends others, or is ended with them.

local luring = require "luring"

local ECANCELED, ENOENT, EALREADY = -luring.ECANCELED, -luring.ENOENT, -luring.EALREADY

local Chains = {}

function Chains:cancel()
    local ticket = self.dice:once(6) and self.last or self:some_ticket()
    if not ticket then return end
    self.last = ticket
    local was_over = ticket.over
    self:act("cancel", { ticket.key, 0 }, function(res)
        self:check(res == 0 or res == ENOENT or res == EALREADY or res == ECANCELED, "cancel gave", res)
        self:check(not was_over or res == ENOENT or res == ECANCELED, "what had ended was cancelled:", res)
    end)
end

function Chains:cancel_more()
    if self.dice:once(2) then
        self:act("cancel_fd", { self.dice:pick(self.streams).from, luring.IORING_ASYNC_CANCEL_ALL }, function() end)
    else
        self:act("cancel_all", {}, function() end)
    end
end

-- Members end in their order, and after one that failed the others are cancelled.
function Chains:chain(tickets, options)
    local keys, chain = {}, { at = 0, hard = options.hard }
    for i, ticket in ipairs(tickets) do
        keys[i] = ticket.key
        ticket.chain, ticket.place = chain, i
    end
    self:check(luring.chain(self.ring, keys, options), "no chain was made")
end

function Chains:in_chain(ticket, res)
    local chain = ticket.chain
    self:check(ticket.place > chain.at, "a chain's", ticket.place, "after its", chain.at)
    chain.at = ticket.place
    if chain.failed then self:check(res == ECANCELED, "a broken chain goes on with", res) end
    if not chain.hard and (res < 0 or ticket.whole and res < ticket.whole) then chain.failed = true end
end

function Chains:make_chain()
    local n = 1 + self.dice:roll(4)
    if luring.sq_space_left(self.ring) < n then return end
    local tickets = {}
    for i = 1, n do
        if self.dice:once(5) then
            tickets[i] = self:act("write", { -1, "nowhere", -1 }, function(res)
                self:check(res == -luring.EBADF or res == ECANCELED, "a write to nowhere gave", res)
            end)
        else
            tickets[i] = self:act("nop", {}, function(res)
                self:check(res == 0 or res == ECANCELED, "a nop gave", res)
            end)
        end
    end
    self:chain(tickets, { hard = self.dice:once(3) or nil })
end

return Chains
