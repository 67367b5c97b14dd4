-- The resident memory of a server's connections whose clients say nothing.
-- Usage: lua luring_co_idle.lua COUNT, or as many as there are descriptors; prints how many, and the bytes of each.
-- Its clients are in a process of their own, which it starts.

local co = require "luring.co"
local luring = require "luring"
local resident = require "bench.lib.resident"

local count, port = tonumber(arg[1]), tonumber(arg[2])

if port then -- the clients
    for _ = 1, count do
        assert(luring.tcp_connect { family = luring.AF_INET, addr = "127.0.0.1", port = port } >= 0)
    end
    io.read()
    os.exit(0)
end

local limit = io.open("/proc/self/limits"):read("a"):match("Max open files%s+(%d+)")
count = math.min(count, limit - 100)
co.run(function()
    local server = assert(co.listen("127.0.0.1", 0))
    local _, number = server:address()
    local here = 0
    co.background(function()
        server:serve(function(client)
            here = here + 1
            client:line()
            here = here - 1
        end, { max = count + 100 })
    end)
    local pipes = {} -- the clients' standard inputs, which end when these go
    local function connect(clients)
        pipes[#pipes + 1] = io.popen(("%s %s %d %d"):format(arg[-1], arg[0], clients, number), "w")
        local wanted = here + clients
        while here < wanted do co.sleep(0.01) end
    end
    connect(90) -- whatever is made once
    local before = resident()
    connect(count)
    print("connections", count)
    print("bytes", (resident() - before) / count)
    io.stdout:flush()
    os.exit(0)
end)
