-- The resident memory of tasks that sleep. Usage: lua luring_co_tasks.lua COUNT; prints the bytes of each.

local co = require "luring.co"
local resident = require "bench.lib.resident"

local count = tonumber(arg[1])

co.run(function()
    local asleep = 0
    local function sleeper()
        asleep = asleep + 1
        co.sleep(1000)
    end
    local function spawn(tasks)
        local wanted = asleep + tasks
        for _ = 1, tasks do co.spawn(sleeper) end
        while asleep < wanted do co.sleep(0) end
        co.sleep(0)
    end
    spawn(100) -- whatever is made once
    local before = resident()
    spawn(count)
    print("bytes", (resident() - before) / count)
    os.exit(0)
end)
