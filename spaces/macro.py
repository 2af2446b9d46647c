"""The `macro` space: four stages, of each its depth, width, kernel, expansion and operation.

After the factorised space of MnasNet (Tan et al. 2019, section 4.1), where the layers of a stage
are alike and stages differ, with the expansions of ProxylessNAS (Cai, Zhu and Han 2019, section
4.2) and the elastic depth, width and kernel of Once-for-all (Cai et al. 2020, section 3.2).
Inverted residuals are those of MobileNetV2 (Sandler et al. 2018, section 3.3); plain and central
difference convolutions (Yu et al. 2020) stand beside them, since forgeries leave traces in local
differences.

3 operations, 3 depths, 3 widths, 2 kernels and 2 expansions in 4 stages: 108^4 = 1.4e8
combinations. The expansion counts in inverted residuals alone, which leaves 72 different stages and
72^4 = 2.7e7 different architectures.
"""

from spaces.stages import CENTRAL_DIFFERENCE, CONVOLUTION, INVERTED_RESIDUAL, StageSpace

MACRO = StageSpace(
    "macro",
    stages=("stage1", "stage2", "stage3", "stage4"),
    operations=(CONVOLUTION, CENTRAL_DIFFERENCE, INVERTED_RESIDUAL),
    depths=(1, 2, 3),
    widths=(0.5, 0.75, 1.0),
    kernels=(3, 5),
    expansions=(3, 6),
)
