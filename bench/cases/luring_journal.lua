-- examples/store.lua, which answers a SET when it is on the disk, and clients that each wait for their answer.
-- Usage: lua luring_journal.lua FILE SECONDS CLIENTS. FILE is made anew. Prints the SETs and the seconds.

local co = require "luring.co"

local file, seconds, clients = arg[1], tonumber(arg[2]), tonumber(arg[3])
local VALUE = ("x"):rep(100)

os.remove(file)
co.run(function()
    local store = assert(co.process { arg[-1], "examples/store.lua", file, stdout = "pipe" })
    local port = tonumber(store.stdout:line():match("%d+$"))
    local sets, from = 0, co.now()
    local until_ = from + seconds
    co.scope(function()
        for n = 1, clients do
            co.spawn(function()
                local stream = assert(co.connect("127.0.0.1", port))
                local set = ("*3\r\n$3\r\nSET\r\n$5\r\n%05d\r\n$%d\r\n%s\r\n"):format(n, #VALUE, VALUE)
                repeat
                    stream:write(set)
                    assert(stream:line() == "+OK")
                    sets = sets + 1
                until co.now() >= until_
                stream:close()
            end)
        end
    end)
    print("requests", sets)
    print("seconds", co.now() - from)
    store:kill("TERM")
    store:wait()
end)
