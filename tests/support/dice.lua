-- Numbers by chance, the same on every Lua: they come from a seed and nothing else.

local Dice = {}
Dice.__index = Dice

local MODULUS = 2147483647 -- a prime, for which 48271 is a good multiplier

-- Squares, so that seeds that are close have nothing in common.
function Dice.new(seed)
    local state = seed
    for round = 1, 4 do
        local low, high = state % 46337, math.floor(state / 46337)
        state = (low * low + high * 7919 + seed + round) % MODULUS
    end
    return setmetatable({ state = state % (MODULUS - 1) + 1 }, Dice)
end

-- An integer from 1 to n.
function Dice:roll(n)
    self.state = self.state * 48271 % MODULUS
    return math.floor(self.state / MODULUS * n) + 1
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
