-- Serves the files of a folder over lua-http, read by Lua's io. Usage: lua lua_http_server.lua FOLDER PORT

local headers = require "http.headers"
local server = require "http.server"

local folder, port = arg[1], tonumber(arg[2])

local listener = assert(server.listen {
    host = "127.0.0.1", port = port, max_concurrent = 1000,
    onstream = function(_, stream)
        local request = assert(stream:get_headers())
        local path = request:get(":path")
        local file = not path:find("..", 1, true) and io.open(folder .. path, "rb")
        local response = headers.new()
        if not file then
            response:append(":status", "404")
            return assert(stream:write_headers(response, true))
        end
        local data = file:read("*a")
        file:close()
        response:append(":status", "200")
        response:append("content-length", tostring(#data))
        response:append("content-type", "application/octet-stream")
        assert(stream:write_headers(response, false))
        assert(stream:write_chunk(data, true))
    end,
    onerror = function() end,
})
assert(listener:listen())
assert(listener:loop())
