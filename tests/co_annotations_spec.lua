local co = require "luring.co"
local luring = require "luring"
local child = require "child"

-- What a file declares: the functions of each class.
local function declarations(name)
    local declared = {}
    for class, method in child.contents(child.root .. "/docs/" .. name):gmatch("\nfunction ([%w_]+)[.:]([%w_]+)%(") do
        declared[class] = declared[class] or {}
        declared[class][method] = true
    end
    return declared
end

local declared = declarations "meta_co.lua"

-- The names of a table's functions, but for metamethods and those that are left out.
local function functions(of, but)
    local there = {}
    for name, value in pairs(of) do
        if type(value) == "function" and not name:find "^__" and not (but and but[name]) then there[name] = true end
    end
    return there
end

-- An object of each class.
local function objects()
    local made = { loop = co.loop(), channel = co.channel(), event = co.event(), semaphore = co.semaphore(1) }
    co.run(function()
        made.task = co.self()
        co.scope(function(s) made.scope = s end)
        made.server = assert(co.listen("127.0.0.1", 0))
        made.file = assert(co.open("/dev/null"))
        made.process = assert(co.process { "true", stdout = "pipe" })
        made.stream = made.process.stdout
        made.process:wait()
    end)
    return made
end

describe("the annotations of luring.co", function()
    it("declare every function that there is, and no other", function()
        assert.same(functions(co), declared.co)
    end)

    it("declare every action that can be waited for", function()
        local there = {}
        for name in pairs(co.io) do
            if not name:find("multishot", 1, true) then there[name] = true end
        end
        assert.same(there, declared.actions)
    end)

    it("name no type that isn't declared", function()
        local known = {}
        for word in ("any boolean fun function integer lightuserdata number string table userdata"):gmatch("%a+") do
            known[word] = true
        end
        local docs = child.root .. "/docs/"
        local texts = child.contents(docs .. "meta.lua") .. child.contents(docs .. "meta_co.lua")
        for name in texts:gmatch("\n%-%-%-@class ([%w_.]+)") do known[name] = true end
        for name in texts:gmatch("\n%-%-%-@alias ([%w_.]+)") do known[name] = true end
        local unknown, count = {}, 0
        local function look_at(types)
            -- The names of a function's arguments and of a table's fields.
            for name in types:gsub("[%w_]+: ", ""):gsub("%.%.%.", ""):gmatch("[%a_][%w_.]*") do
                count = count + 1
                if not known[name] then unknown[#unknown + 1] = name end
            end
        end
        for types in texts:gmatch("\n%-%-%-@param %S+ ([^\n]+)") do look_at(types) end
        for types in texts:gmatch("\n%-%-%-@field %S+ ([^\n]+)") do look_at(types) end
        for types in texts:gmatch("\n%-%-%-@return ([^\n]+)") do look_at((types:gsub("%? %a+$", ""))) end
        assert.same({}, unknown)
        assert.is_true(count > 1000)
    end)

    it("declare methods that there are", function()
        local made, missing = objects(), {}
        for class, object in pairs(made) do
            for name in pairs(declared[class]) do
                if type(object[name]) ~= "function" then missing[#missing + 1] = class .. ":" .. name end
            end
        end
        assert.same({}, missing)
        luring.queue_exit(made.loop.ring)
    end)
end)

describe("the annotations of luring.co.socket", function()
    it("declare every function that there is, and no other", function()
        local socket = require "luring.co.socket"
        local of = declarations "meta_socket.lua"
        assert.same(functions(socket, { connect4 = true, connect6 = true }), of.socket)
        assert.same(functions(socket.dns), of.dns)
        assert.same(functions(getmetatable(socket.tcp()), { check = true, allowed = true }), of.tcp)
    end)
end)

describe("the annotations of luring.luv", function()
    it("declare every function that there is, and no other", function()
        local of = declarations "meta_luv.lua"
        assert.same(functions(require "luring.luv"), of.luv)
        assert.same({ detach = true }, of.attachment)
    end)
end)
