"""The search for a method's best settings: equal budgets, validation documents only, every trial a cell."""
