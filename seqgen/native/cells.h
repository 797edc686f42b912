/* The recurrent cells. Their numbers are those of `seqgen.native.CELLS`.

     SIMPLE_RNN  h' = tanh(W x + U h + b)
     LSTM        i, f, o = sigmoid(W x + U h + b),  g = tanh(W x + U h + b)
                 c' = f * c + i * g,  h' = o * tanh(c')
     GRU         z, r = sigmoid(W x + b + U h + b_r),  g = tanh(W x + b + r * (U h + b_r))
                 h' = z * h + (1 - z) * g

   x is (width,), h and c are (units,); the rows of W and U hold the gates one after another, in
   the order of Keras: LSTM i, f, g, o; GRU z, r, g. `*` is element by element. */
#ifndef SEQGEN_CELLS_H
#define SEQGEN_CELLS_H

enum { SIMPLE_RNN, LSTM, GRU, CELL_COUNT };

static const int GATES[] = {1, 4, 3}; /* blocks of `units` rows in W and U */

#endif
