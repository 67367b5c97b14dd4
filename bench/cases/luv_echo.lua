-- An echo server over luv, with a listening socket as descriptor 3.

local uv = require "luv"

local server = uv.new_tcp()
assert(server:open(3))
assert(server:listen(4096, function(failed)
    assert(not failed, failed)
    local connection = uv.new_tcp()
    server:accept(connection)
    connection:read_start(function(failed_read, data)
        if data and not failed_read then
            connection:write(data)
        else
            connection:close()
        end
    end)
end))
uv.run()
