-- Two streams of luring.co, the ends of a connection.

local co = require "luring.co"
local luring = require "luring"

return function()
    local one, other = luring.socketpair()
    return co.stream(one), co.stream(other)
end
