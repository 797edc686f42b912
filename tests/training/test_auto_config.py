import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.cells.base import names as cell_names
from seqgen.config import ModelConfig, TrainConfig
from seqgen.network.build import build
from seqgen.training.auto_config import WIDTHS, Budget, choose_hyperparameters, weights
from seqgen.training.batches import TextBatches
from seqgen.training.cost_model import AVERAGE, CostModel

FAST = AVERAGE.scaled(0.4)  # 100,000 tokens per second of an LSTM 1 x 256


def chosen(tokens: int, minutes: float, costs: CostModel = FAST, **options: object) -> dict:
    return choose_hyperparameters(
        Budget(tokens, 65, minutes, None, costs), {"minutes": minutes, **options}
    )[0]


def test_more_time_and_more_text_give_a_wider_network() -> None:
    widths = [chosen(1_000_000, minutes)["units"] for minutes in (0.2, 1, 3, 15, 60)]
    assert widths == sorted(widths) and widths[0] < widths[-1]
    widths = [chosen(tokens, 15)["units"] for tokens in (10_000, 100_000, 1_000_000)]
    assert widths == sorted(widths) and widths[0] < widths[-1]


def test_a_slow_machine_gets_a_narrower_network() -> None:
    assert (
        chosen(10**6, 3, AVERAGE.scaled(4))["units"]
        < chosen(10**6, 3, AVERAGE.scaled(0.2))["units"]
    )


def test_a_slow_start_gives_a_narrower_network() -> None:
    quick, slow = (
        choose_hyperparameters(Budget(10**6, 65, 1, None, FAST, start), {})[0] for start in (4, 50)
    )
    assert quick["units"] > slow["units"]


def test_a_large_vocabulary_costs_time() -> None:
    few, many = (Budget(10**8, size, 3, None, FAST) for size in (100, 7000))
    config = ModelConfig(units=128)
    assert many.tokens_seen(config) < few.tokens_seen(config) / 3
    assert (
        choose_hyperparameters(many, {})[0]["units"] < choose_hyperparameters(few, {})[0]["units"]
    )


@given(st.integers(2, 12))
def test_machines_share_a_batch_and_see_more_tokens(devices: int) -> None:
    budget = Budget(10**6, 65, 3, None, devices=devices)
    options, _ = choose_hyperparameters(budget, {})
    assert options["batch_size"] % devices == 0
    assert options["units"] >= chosen(10**6, 3, AVERAGE)["units"]


def test_more_epochs_give_more_dropout() -> None:
    dropouts = [chosen(tokens, 5)["dropout"] for tokens in (10**8, 10**6, 10**4)]
    assert dropouts == sorted(dropouts) and dropouts[0] == 0 and dropouts[-1] == 0.5


def test_a_large_corpus_does_not_give_too_large_a_network() -> None:
    """In five minutes, the network reads several tokens of 100 MB per weight."""
    budget = Budget(10**8, 200, 5, None, FAST)
    options, _ = choose_hyperparameters(budget, {"minutes": 5})
    config = ModelConfig(units=options["units"])
    assert budget.tokens_seen(config) >= 5 * weights(config, 200)
    assert options["units"] >= 256


@given(
    st.integers(300, 10**9),
    st.floats(0.01, 1000),
    st.sampled_from(cell_names()),
    st.integers(2, 500),
)
def test_every_choice_can_be_trained(
    tokens: int, minutes: float, cell: str, vocabulary_size: int
) -> None:
    options, why = choose_hyperparameters(
        Budget(tokens, vocabulary_size, minutes, None), {"cell": cell, "minutes": minutes}
    )
    names = ModelConfig.__dataclass_fields__.keys() & options.keys()
    config = ModelConfig.from_json({name: options.pop(name) for name in names})
    run = TrainConfig.from_json(options)
    assert config.units in WIDTHS
    assert run.batch_size * run.window < tokens
    assert why.startswith("chosen: units ") and "\n" not in why


@given(st.sets(st.sampled_from(["units", "layers", "batch_size", "window", "dropout"])))
def test_every_choice_can_be_set_explicitly(names: set[str]) -> None:
    by_hand = {"units": 100, "layers": 2, "batch_size": 7, "window": 9, "dropout": 0.33}
    given_options = {name: by_hand[name] for name in names}
    options, why = choose_hyperparameters(Budget(10**6, 65, 3, None), given_options)
    assert {name: options[name] for name in names} == given_options
    assert all(f"{name.replace('_', ' ')} {by_hand[name]}" not in why for name in names)


def test_there_is_no_message_if_nothing_is_chosen() -> None:
    everything = choose_hyperparameters(Budget(10**6, 65, 3, None), {})[0]
    assert choose_hyperparameters(Budget(10**6, 65, 3, None), everything) == (everything, "")


@pytest.mark.parametrize("cell", cell_names())
def test_the_number_of_weights_agrees_with_keras(cell: str) -> None:
    config = ModelConfig(cell=cell, units=12, layers=2, embedding=5)
    second_biases = 2 * 3 * 12  # of a GRU
    assert build(config, 9).count_params() - weights(config, 9) in (0, second_biases)


def test_the_number_of_epochs_matters_too() -> None:
    few, many = (
        choose_hyperparameters(Budget(10**6, 65, None, epochs), {})[0] for epochs in (1, 30)
    )
    assert few["dropout"] < many["dropout"]
    TextBatches(range(10**5), few["batch_size"], few["window"], 0)  # type: ignore[arg-type]
