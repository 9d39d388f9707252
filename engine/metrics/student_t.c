/* student_t.c: quantiles of Student's t.
 *
 * P(|T| <= t) with v degrees of freedom is the regularised incomplete beta function I_y(1/2, v/2) at y = t^2 / (v + t^2). Its
 * continued fraction (DLMF 8.17.22) is evaluated by the modified Lentz method (Thompson and Barnett 1986), on the side where
 * it converges fast, and inverted by bisection: slow and safe. About 60 steps of 10 to 100 terms, and v / 2 products. */
#include "metrics/estimate.h"

static double away_from_0(double value) { return fabs(value) < 1e-300 ? 1e-300 : value; }

/* One step of Lentz's method: the next term of the continued fraction. Returns the factor. */
static double step_fraction(double term, double *c, double *d) {
    *d = 1.0 / away_from_0(1.0 + term * *d);
    *c = away_from_0(1.0 + term / *c);
    return *c * *d;
}

/* The continued fraction of I_x(a, b), for x < (a + 1) / (a + b + 2). */
static double fraction(double x, double a, double b) {
    double c = 1.0, d = 1.0 / away_from_0(1.0 - (a + b) * x / (a + 1.0)), product = d, factor = 0.0;
    for (int m = 1; m < 10000 && fabs(factor - 1.0) > 1e-16; m++) {
        double end = a + 2.0 * m;
        product *= step_fraction(m * (b - m) * x / ((end - 1.0) * end), &c, &d);
        factor = step_fraction(-(a + m) * (a + b + m) * x / (end * (end + 1.0)), &c, &d);
        product *= factor;
    }
    return product;
}

/* B(1/2, v/2), by B(1/2, b + 1) = B(1/2, b) b / (b + 1/2). */
static double beta_of_half(unsigned degrees) {
    double b = degrees % 2 == 0 ? 1.0 : 0.5, beta = degrees % 2 == 0 ? 2.0 : acos(-1.0);
    for (; b < 0.5 * degrees; b += 1.0) beta *= b / (b + 0.5);
    return beta;
}

/* P(|T| <= t). `y` and 1 - y are both computed without a difference. */
static double within(double t, unsigned degrees, double beta) {
    double v = degrees, y = t * t / (v + t * t), rest = v / (v + t * t), b = 0.5 * v;
    if (y <= 0.0) return 0.0;
    double front = sqrt(y) * pow(rest, b) / beta;
    if (y < 1.5 / (2.5 + b)) return front * fraction(y, 0.5, b) / 0.5;
    return 1.0 - front * fraction(rest, b, 0.5) / b;
}

double sl_i_student_t(double level, unsigned degrees) {
    double low = 0.0, high = 1.0, beta = beta_of_half(degrees);
    while (within(high, degrees, beta) < level && high < 1e100) high *= 2.0;
    for (;;) {
        double middle = 0.5 * (low + high);
        if (middle <= low || middle >= high) return middle;
        if (within(middle, degrees, beta) < level)
            low = middle;
        else
            high = middle;
    }
}
