-- Numbers by chance, the same on every Lua: they come from a seed and nothing else.

local Dice = {}
Dice.__index = Dice

function Dice.new(seed) return setmetatable({ state = seed % 2147483646 + 1 }, Dice) end

-- An integer from 1 to n.
function Dice:roll(n)
    self.state = self.state * 48271 % 2147483647
    return math.floor(self.state / 2147483647 * n) + 1
end

-- True once in n times.
function Dice:once(n) return self:roll(n) == 1 end

-- One of a list.
function Dice:pick(list) return list[self:roll(#list)] end

-- One of `{ weight, value }`.
function Dice:weigh(list)
    local sum = 0
    for _, entry in ipairs(list) do sum = sum + entry[1] end
    local left = self:roll(sum)
    for _, entry in ipairs(list) do
        left = left - entry[1]
        if left <= 0 then return entry[2] end
    end
end

return Dice
