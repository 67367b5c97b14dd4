-- A chat server with rooms, for telnet.

local USAGE = [=[
Usage: lua chat.lua [PORT]
Passes on what people say to those in the same room. They come by telnet to PORT of this machine,
and begin with a name. /join ROOM takes them elsewhere, /who tells who is there, /quit ends.
Without PORT, or with 0, the kernel chooses one. Ends at SIGTERM and at Ctrl-C.]=]

local co = require "luring.co"

local LONGEST = 1000 -- bytes of a line
local UNREAD = 100 -- lines that wait for somebody before he is too slow
local GRACE = 5 -- seconds for the last words

---@return never
local function fail(...)
    io.stderr:write("chat.lua: ", table.concat({ ... }, ": "), "\n")
    os.exit(1)
end

if arg[1] == "--help" then
    print(USAGE)
    os.exit(0)
end
local port = tonumber((arg[1] or "0"):match("^%d+$"))
if not port or port > 65535 then fail(("PORT is a number from 0 to 65535, not %s (see --help)"):format(arg[1])) end

local people = {} -- by their names: {name=, room=, lines=, task=}

-- Leaves a line for somebody. One who doesn't read is sent away: the others don't wait for him.
local function tell(person, line)
    if person.lines:try_send(line) == false then person.task:cancel("too slow") end
end

local function tell_room(room, line, but)
    for _, person in pairs(people) do
        if person.room == room and person ~= but then tell(person, line) end
    end
end

local function enter(person, room)
    if person.room then tell_room(person.room, "* " .. person.name .. " has left", person) end
    person.room = room
    if room then tell_room(room, "* " .. person.name .. " is here in " .. room) end
end

local commands = {
    join = function(person, room)
        if not room:find("^%w+$") then return tell(person, "* A room is letters and digits") end
        enter(person, room)
    end,
    who = function(person)
        local names = {}
        for name, other in pairs(people) do
            if other.room == person.room then names[#names + 1] = name end
        end
        table.sort(names)
        tell(person, "* In " .. person.room .. ": " .. table.concat(names, ", "))
    end,
}

-- What somebody says, until he leaves.
local function listen_to(person, client)
    while true do
        local line, why = client:line(LONGEST)
        if not line then return why end
        local command, rest = line:match("^/(%w+)%s*(.-)%s*$")
        if command == "quit" then
            return "goodbye"
        elseif command then
            local act = commands[command]
            if act then act(person, rest) else tell(person, "* There is no /" .. command) end
        elseif line ~= "" then
            -- Nothing that moves about on the others' terminals: it might look as if somebody else said it.
            tell_room(person.room, person.name .. ": " .. (line:gsub("%c", " ")), person)
        end
    end
end

local function ask_name(client)
    client:write("* Your name?\r\n")
    while true do
        local name = client:line(LONGEST)
        if not name then return nil end
        name = name:match("^%s*(%w+)%s*$")
        if name and not people[name] then return name end
        client:write("* That is ", name and "taken" or "no name", ": another?\r\n")
    end
end

-- Serves a connection: one task reads from it, and another writes what there is for it.
local function serve(client)
    local name = ask_name(client)
    if not name then return end
    local person = { name = name, lines = co.channel(UNREAD), task = co.self() }
    people[name] = person
    return co.scope(function(s)
        s:defer(function()
            people[name] = nil
            enter(person, nil)
        end)
        local writer = co.spawn(function()
            client:settimeout(nil, GRACE)
            while true do
                local line = person.lines:recv()
                if not line or not client:write(line, "\r\n") then return end
            end
        end)
        enter(person, "lobby")
        tell(person, "* " .. (listen_to(person, client) or "gone"))
        person.lines:close()
        writer:join()
    end)
end

local function main()
    local server, message = co.listen("127.0.0.1", port)
    if not server then fail(message) end
    local _, number = server:address()
    print("listening on port " .. number)
    io.stdout:flush()
    co.background(function()
        co.signal("TERM", "INT")
        server:stop(GRACE)
    end)
    server:serve(serve)
end

-- Raises an error where io_uring is refused, as in many containers.
local ok, err = pcall(co.run, main)
if not ok then fail(tostring(err)) end
