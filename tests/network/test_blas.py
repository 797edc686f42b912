import numpy as np
import pytest
from threadpoolctl import threadpool_info

from seqgen.network.backend import tf
from seqgen.network.kernels.blas import matmul, transposed_product
from seqgen.network.sharding import core_count, limit_blas


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize("transpose_b", [False, True])
def test_it_is_the_product_of_tensorflow(
    request: pytest.FixtureRequest, dtype: str, transpose_a: bool, transpose_b: bool
) -> None:
    if dtype == "bfloat16":
        request.getfixturevalue("bfloat16_products")
    random = np.random.default_rng(0)
    a = random.integers(-8, 8, (5, 3) if transpose_a else (3, 5))  # sums are exact in bfloat16
    b = random.integers(-2, 2, (4, 5) if transpose_b else (5, 4))
    factors = tf.cast(a, dtype), tf.cast(b, dtype)
    options = {"transpose_a": transpose_a, "transpose_b": transpose_b}
    product = tf.function(lambda a, b: matmul(a, b, **options))(*factors)
    assert product.shape == (3, 4) and product.dtype == dtype
    assert (product.numpy() == tf.matmul(*factors, **options).numpy()).all()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_gradient_is_that_of_tensorflow(request: pytest.FixtureRequest, dtype: str) -> None:
    if dtype == "bfloat16":
        request.getfixturevalue("bfloat16_products")
    random = np.random.default_rng(0)
    a, b = (tf.Variable(tf.cast(random.integers(-4, 4, (4, n)), dtype)) for n in (3, 2))
    weights = tf.cast(random.integers(-4, 4, (3, 2)), dtype)
    with tf.GradientTape() as tape:
        ours = tf.reduce_sum(transposed_product(a, b) * weights)
    gradients = tape.gradient(ours, (a, b))
    with tf.GradientTape() as tape:
        theirs = tf.reduce_sum(tf.matmul(a, b, transpose_a=True) * weights)
    for one, other in zip(gradients, tape.gradient(theirs, (a, b)), strict=True):
        assert (one.numpy() == other.numpy()).all()


def test_the_threads_of_the_blas_are_limited_for_a_while() -> None:
    def threads() -> list[int]:
        return [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]

    before = threads()
    with limit_blas(core_count()):
        assert set(threads()) <= {1}
    assert threads() == before
