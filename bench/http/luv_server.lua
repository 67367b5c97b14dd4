-- Serves the files of a folder over luv: open, fstat, read and close in its threads for each request, as its
-- documentation shows. Usage: lua luv_server.lua FOLDER PORT

local uv = require "luv"

local folder, port = arg[1], tonumber(arg[2])
local LINES = "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nContent-Type: application/octet-stream\r\n\r\n"

local function refuse(client)
    client:write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
end

local function answer(client, path)
    uv.fs_open(folder .. path, "r", 0, function(_, fd)
        if not fd then return refuse(client) end
        uv.fs_fstat(fd, function(_, stat)
            uv.fs_read(fd, stat.size, 0, function(_, data)
                client:write { LINES:format(#data), data }
                uv.fs_close(fd, function() end)
            end)
        end)
    end)
end

local server = uv.new_tcp()
server:bind("127.0.0.1", port)
server:listen(4096, function()
    local client = uv.new_tcp()
    server:accept(client)
    local unread = ""
    client:read_start(function(failed, data)
        if failed or not data then return client:close() end
        unread = unread .. data
        while true do
            local head, rest = unread:match("^(.-\r\n\r\n)(.*)$")
            if not head then return end
            unread = rest
            local path = head:match("^GET (%S+) HTTP/1%.1\r\n")
            if path and not path:find("..", 1, true) then answer(client, path) else refuse(client) end
        end
    end)
end)
uv.run()
