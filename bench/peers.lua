-- Who is measured. To add a peer, add its row here and the cases that it names.
--
-- `files`, `buffers`, `echo`, `at_once`, `jit`, `tasks`, `idle`, `cold`, `journal`, `memory`, `crowd`,
-- `soak` and `require` are shell commands, one for each kind of bench/workloads.lua. What they get
-- and print is said in the cases; descriptors are open as the cases want them. $CAPITALS are
-- filled in by bench/run.lua: LUA is Lua 5.4, C the folder of the compiled programs, CASES
-- the folder of the cases, FOLDER one of small files, FILE one to write, and the others the workload.
-- `only` tells which file workloads make sense. `probe` succeeds where the peer is installed,
-- and prints its version. `slow` divides the number of actions. `sum` names peers whose CPU
-- times are added up: raw C and the floor (Lua over empty functions) are the least that any
-- module can take.

-- A Lua that finds the luring.so of a folder.
local function with_module(dir, lua)
    return "env LUA_CPATH='" .. dir .. "/?.so' " .. lua .. " "
end

local function luring(dir, flags)
    local lua = with_module(dir, "$LUA")
    local case = lua .. "$CASES/luring_"
    return {
        probe = lua .. "-e 'require \"luring\" print \"\"'",
        echo = case .. "echo.lua $SIZE " .. (flags or 0),
        files = not flags and case .. "files.lua $ACTION $SIZE $DEPTH $COUNT" or nil,
        memory = not flags and case .. "memory.lua $COUNT" or nil,
        crowd = not flags and case .. "crowd.lua $OTHERS $COUNT" or nil,
        soak = not flags and case .. "soak.lua $COUNT" or nil,
        require = not flags and lua .. "$CASES/require.lua luring" or nil,
        instructions = not flags and dir or nil,
    }
end

local SINGLE_ISSUER, DEFER_TASKRUN = 1 << 12, 1 << 13

-- Loads a module, and prints the version of its package where dpkg knows it.
local function installed(package, lua, name)
    return ("%s -e 'require \"%s\"' && { dpkg-query -W -f '${Version}' %s || true; }"):format(lua, name, package)
end

local function with(row, id, title)
    row.id, row.title = id, title
    return row
end

-- `module` is the folder of this luring.so, `jit` that of its build for LuaJIT, `other` of another one, or nil.
return function(module, jit, other, other_title)
    local lua, luajit = with_module(module, "$LUA"), with_module(jit, "luajit")
    local own = with(luring(module), "luring", "luring")
    own.buffers = lua .. "$CASES/luring_buffers.lua $SIZE $DEPTH $COUNT"
    own.at_once = lua .. "$CASES/luring_echo_at_once.lua $SIZE"
    own.jit = luajit .. "$CASES/luring_echo.lua $SIZE"
    own.cold = lua .. "$CASES/luring_cold.lua $FOLDER $COUNT $DEPTH"
    local peers = {
        own,
        with(luring(module, SINGLE_ISSUER | DEFER_TASKRUN), "luring_defer", "luring, DEFER_TASKRUN"),
        {
            id = "luring_best", title = "luring, all that helps",
            probe = "echo",
            at_once = lua .. "$CASES/luring_echo_best.lua $SIZE",
        }, {
            id = "luring_co", title = "luring.co",
            probe = "echo",
            echo = lua .. "$CASES/luring_co_echo.lua $SIZE",
            jit = luajit .. "$CASES/luring_co_echo.lua $SIZE",
            tasks = lua .. "$CASES/luring_co_tasks.lua $COUNT",
            idle = lua .. "$CASES/luring_co_idle.lua $COUNT",
            journal = lua .. "$CASES/luring_journal.lua $FILE $COUNT $DEPTH",
        }, {
            id = "luring_co_jit", title = "luring.co on LuaJIT",
            probe = "luajit -v",
            tasks = luajit .. "$CASES/luring_co_tasks.lua $COUNT",
            idle = luajit .. "$CASES/luring_co_idle.lua $COUNT",
        },
    }
    if other then
        table.insert(peers, with(luring(other), "other", other_title))
    end
    for _, row in ipairs {
        {
            id = "floor", title = "floor", hidden = true,
            probe = "echo",
            files = "env LUA_CPATH=$C/floor/?.so $LUA $CASES/luring_files.lua $ACTION $SIZE $DEPTH $COUNT",
        }, {
            id = "bound", title = "raw C + floor", sum = { "raw", "floor" },
            probe = "echo",
        }, {
            id = "raw", title = "raw C",
            probe = "echo",
            files = "$C/raw files $ACTION $SIZE $DEPTH $COUNT 0",
            buffers = "$C/raw files read $SIZE $DEPTH $COUNT 0",
            echo = "$C/raw echo $SIZE 0",
            at_once = "$C/best at_once $SIZE 0",
            cold = "$C/cold $FOLDER $COUNT $DEPTH",
            journal = "$C/sync $FILE $COUNT",
        }, {
            id = "raw_best", title = "raw C, DEFER_TASKRUN and ring fd",
            probe = "echo",
            echo = "$C/raw echo $SIZE " .. (SINGLE_ISSUER | DEFER_TASKRUN) .. "r",
        }, {
            id = "raw_all", title = "raw C, all that helps",
            probe = "echo",
            at_once = "$C/best all $SIZE",
        }, {
            id = "grep", title = "grep -rc",
            probe = "echo",
            cold = "grep -rc 40 $FOLDER",
        }, {
            id = "luv", title = "luv", name = "luv",
            probe = installed("lua-luv", "$LUA", "luv"),
            files = "$LUA $CASES/luv_files.lua $ACTION $SIZE $DEPTH $COUNT",
            echo = "$LUA $CASES/luv_echo.lua",
            at_once = "$LUA $CASES/luv_echo.lua",
            jit = "luajit $CASES/luv_echo.lua",
            require = "$LUA $CASES/require.lua luv",
            slow = 4,
        }, {
            id = "luv_blocking", title = "luv, blocking",
            probe = "$LUA -e 'require \"luv\" print \"\"'",
            files = "$LUA $CASES/luv_files.lua $ACTION $SIZE 0 $COUNT",
            only = function(cell) return cell.depth == 1 end,
        }, {
            id = "luaposix", title = "luaposix on Lua 5.3, blocking", name = "luaposix",
            probe = installed("lua-posix", "lua5.3", "posix"),
            files = "lua5.3 $CASES/luaposix_files.lua $ACTION $SIZE 0 $COUNT",
            require = "lua5.3 $CASES/require.lua posix",
            only = function(cell) return cell.depth == 1 end,
        }, {
            id = "cqueues", title = "cqueues", name = "cqueues",
            probe = installed("lua-cqueues", "$LUA", "cqueues"),
            echo = "$LUA $CASES/cqueues_echo.lua $SIZE",
            require = "$LUA $CASES/require.lua cqueues",
        },
    } do
        table.insert(peers, row)
    end
    return peers
end
