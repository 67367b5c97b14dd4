-- What is measured: a list of cells. In each, every peer runs in each of `rounds`, one after
-- the other, so that a ratio compares what ran within seconds.

local KIB, MIB = 1024, 1024 * 1024

local function size_text(size)
    if size >= MIB then
        return size // MIB .. " MiB"
    end
    return size >= KIB and size // KIB .. " KiB" or size .. " B"
end

-- Actions in one run: about a fifth of a second of luring's.
local COUNTS = { [64] = 200000, [4 * KIB] = 120000, [64 * KIB] = 12000, [MIB] = 800 }

local function files(action, size, depth, rounds, share)
    return {
        kind = "files", action = action, size = size, depth = depth, rounds = rounds,
        count = COUNTS[size] // share, label = size_text(size) .. ", " .. depth,
        title = ("%s %s, %d in flight"):format(action, size_text(size), depth),
    }
end

local ECHOES = { echo = "echo", at_once = "echo at once", jit = "echo on LuaJIT" }

local function echo(kind, connections, size, rounds, warm_ms, run_ms)
    return {
        kind = kind, connections = connections, size = size, rounds = rounds, warm_ms = warm_ms, run_ms = run_ms,
        label = ("%s, %d"):format(size_text(size), connections),
        title = ("%s %s, %d connection%s"):format(ECHOES[kind], size_text(size), connections, connections == 1 and "" or "s"),
    }
end

local function buffers(size, rounds, share)
    local cell = files("read", size, 32, rounds, share)
    cell.kind, cell.title = "buffers", cell.title .. ", into buffers"
    return cell
end

-- `rounds` is how many of each, when it is given.
return function(quick, rounds)
    local cells = {}
    local function add(cell)
        table.insert(cells, cell)
    end

    if quick then
        for _, size in ipairs { 64, 4 * KIB, 64 * KIB, MIB } do
            add(files("read", size, 32, rounds or 3, 4))
        end
        add(files("read", 64 * KIB, 1, rounds or 3, 4))
        add(files("read", MIB, 1, rounds or 3, 4))
        add(files("write", 64, 32, rounds or 3, 4))
        add(files("write", 64 * KIB, 32, rounds or 3, 4))
        add(buffers(4 * KIB, rounds or 3, 4))
        add(buffers(64 * KIB, rounds or 3, 4))
        add(echo("echo", 50, 64, rounds or 3, 100, 300))
        add(echo("echo", 500, 64, rounds or 3, 100, 300))
        add(echo("echo", 500, 16 * KIB, rounds or 3, 100, 300))
        add(echo("at_once", 50, 64, rounds or 3, 100, 300))
        add(echo("at_once", 50, 16 * KIB, rounds or 3, 100, 300))
        add(echo("jit", 50, 64, rounds or 3, 100, 300))
    else
        for _, action in ipairs { "read", "write" } do
            for _, size in ipairs { 64, 4 * KIB, 64 * KIB, MIB } do
                for _, depth in ipairs { 1, 32, 256 } do
                    add(files(action, size, depth, rounds or 9, 1))
                end
            end
        end
        for _, size in ipairs { 4 * KIB, 64 * KIB, MIB } do add(buffers(size, rounds or 9, 1)) end
        for _, size in ipairs { 64, 16 * KIB } do
            for _, connections in ipairs { 1, 50, 500 } do
                add(echo("echo", connections, size, rounds or 9, 200, 700))
            end
            for _, connections in ipairs { 50, 500 } do
                add(echo("at_once", connections, size, rounds or 9, 200, 700))
            end
        end
        for _, connections in ipairs { 50, 500 } do add(echo("jit", connections, 64, rounds or 9, 200, 700)) end
    end

    add { kind = "cold", title = "4000 cold files", rounds = rounds or quick and 3 or 9, count = 4000, depth = 64 }
    add { kind = "journal", title = "journal", rounds = rounds or 3, count = quick and 1 or 3, depth = 64 }
    add { kind = "tasks", title = "tasks asleep", rounds = 1, count = 100000 }
    add { kind = "idle", title = "idle connections", rounds = 1, count = 20000 }

    add { kind = "memory", title = "memory of an action in flight", rounds = quick and 1 or 3, count = 100000 }
    add { kind = "crowd", title = "10 in flight", others = 0, rounds = rounds or quick and 3 or 9, count = 100000 }
    add { kind = "crowd", title = "100,000 in flight", others = 99990, rounds = rounds or quick and 3 or 9, count = 100000 }
    add { kind = "soak", title = "growth over many reads", rounds = 1, count = quick and 500000 or 5000000 }
    add { kind = "require", title = "require", rounds = quick and 5 or 15 }
    return cells
end
