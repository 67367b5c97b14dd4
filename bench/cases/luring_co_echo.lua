-- An echo server over luring.co, a task for each connection.
-- Usage: lua luring_co_echo.lua SIZE, with a listening socket as descriptor 3.

local co = require "luring.co"

local size = tonumber(arg[1])

local function serve(fd)
    local stream = co.stream(fd)
    while true do
        local data = stream:read(size)
        if not data then break end
        stream:write(data)
    end
    stream:close()
end

co.run(function()
    while true do
        co.spawn(serve, assert(co.io.accept(3, 0)))
    end
end)
