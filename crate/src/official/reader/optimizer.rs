//! The state of one Adam, by the number of each parameter.

use super::globals::Arena;
use super::module::{Allowance, MOST_ENTRIES};
use super::tensor::Tensor;
use crate::pickle::{Id, Problem, Result, problem};

/// What goes on from one step to the next. With beta1 = 0 the first moment is the last gradient and is left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimizer<'a> {
    pub steps: u64,
    /// In the order of the network's parameters.
    pub second_moments: Vec<Tensor<'a>>,
    pub beta1: f64,
    pub epsilon: f64,
    pub weight_decay: f64,
}

/// `{state: {number: {step, exp_avg, exp_avg_sq}}, param_groups: [{..., params: [0, 1, ...]}]}`
pub fn optimizer<'a>(arena: &Arena<'a>, id: Id, allowance: &mut Allowance) -> Result<Optimizer<'a>> {
    let damaged = || Problem("has an optimizer that is not torch's Adam of one group".into());
    let entries =
        |id: Id| arena.entries(id).filter(|entries| entries.len() <= MOST_ENTRIES).ok_or_else(damaged);
    let whole = entries(id)?;
    let entry = |of: &[(Id, Id)], key: &str| arena.entry(of, key).ok_or_else(damaged);
    let groups = arena.list(entry(whole, "param_groups")?).ok_or_else(damaged)?;
    let &[group] = groups else { return Err(damaged()) };
    let group = entries(group)?;
    let number = |key: &str| entry(group, key).and_then(|id| arena.number(id).ok_or_else(damaged));
    let betas = arena.tuple(entry(group, "betas")?).ok_or_else(damaged)?;
    let &[beta1, _] = betas else { return Err(damaged()) };

    let states = entries(entry(whole, "state")?)?;
    let numbers = arena.list(entry(group, "params")?).ok_or_else(damaged)?;
    let in_order = (0..).zip(numbers).all(|(place, number)| arena.count(*number) == Some(place));
    if numbers.len() != states.len() || !in_order {
        return problem("has an optimizer whose parameters are not numbered from 0 on");
    }
    // One state for each number, in any order.
    let mut by_number = vec![None; states.len()];
    for (key, state) in states {
        let place = arena.count(*key).and_then(|key| usize::try_from(key).ok());
        match place.and_then(|place| by_number.get_mut(place)) {
            Some(place @ None) => *place = Some(*state),
            _ => return Err(damaged()),
        }
    }
    let mut second_moments = Vec::with_capacity(states.len());
    let mut steps = None;
    for state in by_number {
        let state = entries(state.ok_or_else(damaged)?)?;
        second_moments.push(allowance.take(arena, entry(state, "exp_avg_sq")?)?);
        let taken = step(arena, entry(state, "step")?, allowance)?;
        if steps.replace(taken).is_some_and(|others| others != taken) {
            return problem("has an optimizer whose parameters took different numbers of steps");
        }
    }
    Ok(Optimizer {
        steps: steps.ok_or_else(damaged)?,
        second_moments,
        beta1: arena.number(beta1).ok_or_else(damaged)?,
        epsilon: number("eps")?,
        weight_decay: number("weight_decay")?,
    })
}

/// A count of steps: a number, or a tensor of one f32.
fn step(arena: &Arena, id: Id, allowance: &mut Allowance) -> Result<u64> {
    let value = match arena.number(id) {
        Some(number) => number,
        None => match allowance.take(arena, id)?.values()[..] {
            [value] => value.into(),
            _ => return problem("has an optimizer whose count of steps is no number"),
        },
    };
    // Above 2^53 not every number is one of f64, and no run takes as many steps.
    if !(0.0..=9e15).contains(&value) || value.fract() != 0.0 {
        return problem(format!("has an optimizer that took {value} steps"));
    }
    Ok(value as u64)
}
