-- An echo server over cqueues, with a listening socket as descriptor 3.
-- Usage: lua cqueues_echo.lua SIZE. SIZE is how much it receives at the most.

local cqueues = require "cqueues"
local socket = require "cqueues.socket"

local size = tonumber(arg[1])
local server = socket.fdopen(3)
local loop = cqueues.new()

loop:wrap(function()
    while true do
        local connection = assert(server:accept { nodelay = true }) -- it would turn that off
        connection:setmode("bf", "bn") -- binary; what is written is sent at once
        loop:wrap(function()
            while true do
                local data = connection:read(-size)
                if not data then
                    break
                end
                connection:write(data)
            end
            connection:close()
        end)
    end
end)
assert(loop:loop())
