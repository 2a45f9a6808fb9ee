#include "examples/market/market_texts.h"

namespace hanse {

std::string purchase_ini(const MarketOptions& options) {
  return R"(# Which sessions end in a purchase? Logistic regression over all merchants, differentially private for each customer:
#   hanse run purchase.ini
[federation]
name = purchase
seed = )" +
         std::to_string(options.seed) + R"(
rounds = 40

[data]
path = sessions.csv
format = csv
merchant = merchant
customer = customer
label = purchase
numeric = log1p:pages[0..6], log1p:seconds[0..10], exit_rate[0..1], log1p:basket[0..4], discount[0..0.5]
categorical = month{Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec}, visitor{returning|new|other}, device{desktop|phone|tablet}, weekend{0|1}
test = hash:0.2

[workload]
name = logistic
l2 = 0.001

[server]
optimizer = momentum
learning_rate = 1

[privacy]
unit = customer
epsilon = 4
delta = 1e-5
# A customer shops at two merchants at most, and the promise covers both together.
max_merchants_per_customer = 2

[aggregation]
encryption = masked
)";
}

std::string recommendation_ini(const MarketOptions& options) {
  return R"(# What will a customer like? Matrix factorization over all merchants, differentially private for each customer:
#   hanse run recommendation.ini
# Items and their factors are shared; what describes a customer is found by her merchant and stays there.
[federation]
name = recommendation
seed = )" +
         std::to_string(options.seed) + R"(
rounds = 30

[data]
path = ratings.csv
format = ratings
merchant = merchant
customer = customer
item = item[1..)" +
         std::to_string(options.items) + R"(]
rating = rating[1..5]
time = time
test = hash:0.2

[workload]
name = matrix-factorization
rank = 4
l2 = 0.05

[server]
optimizer = adam
learning_rate = 0.05

[privacy]
unit = customer
epsilon = 8
delta = 1e-5
max_merchants_per_customer = 2

[aggregation]
encryption = masked
)";
}

std::string reviews_ini(const MarketOptions& options) {
  return R"(# Is a customer satisfied, by what she writes? Logistic regression of the words of reviews over all merchants, differentially
# private for each customer:
#   hanse run reviews.ini
[federation]
name = reviews
seed = )" +
         std::to_string(options.seed) + R"(
rounds = 40

[data]
path = reviews.csv
format = csv
merchant = merchant
customer = customer
label = satisfied
text = text#2048
ngrams = 2
test = hash:0.2

[workload]
name = logistic

[server]
optimizer = momentum
learning_rate = 20

[privacy]
unit = customer
epsilon = 4
delta = 1e-5
max_merchants_per_customer = 2

[aggregation]
encryption = masked
)";
}

std::string market_readme(const MarketOptions& options) {
  return "A synthetic market: " + std::to_string(options.merchants) + " merchants, " +
         std::to_string(options.customers) + " customers, " + std::to_string(options.items) +
         " items, seed " + std::to_string(options.seed) + R"(.

Nobody in it is real, and everything about it is known: compare what you learn with truth.json.

ratings.csv     merchant, customer, item, rating (1 to 5), time (seconds since 1970)
sessions.csv    merchant, customer, pages, seconds, exit_rate, basket, discount, month, visitor, device, weekend,
                purchase (0 or 1). pages: product pages seen; seconds: spent on them; exit_rate: share of pages from
                which people leave; basket: items in it; discount: largest one shown
orders.csv      merchant, customer, item, category, week (from 0), quantity, price (each)
reviews.csv     merchant, customer, item, text, satisfied (0 or 1)
items.csv       item, category, base_price
customers.csv   customer, home merchant, second merchant (may be empty)
truth.json      the coefficients of the purchase model, the factors and biases of the ratings, the price elasticity
                of each category, and what the truth itself scores on these rows: no model can be expected to do better

How it was made
  Merchants   sizes follow a power law (exponent 0.9); each has its own mix of categories.
  Customers   belong to a home merchant; about a quarter also shop at a second one.
  Purchases   Bernoulli with logit = intercept + merchant + customer + columns + two modest interactions. What a column
              contributes: pages, seconds and basket through log1p, the others as they are, words by a constant each.
  Ratings     mean + biases of merchant, customer and item + p . q + normal noise, rounded and held within 1 and 5.
              Of two items that come her way a customer takes the one she expects to like more.
  Orders      the expected number at a price is proportional to (price / base_price) ^ elasticity of the category;
              prices are drawn a merchant, item and week, whatever the demand.
  Reviews     words from three lists; who is satisfied praises three times as often as she complains, and a "not" turns a
              word round.

Train on it
  hanse run purchase.ini
  hanse run reviews.ini
  hanse run recommendation.ini
)";
}

}  // namespace hanse
