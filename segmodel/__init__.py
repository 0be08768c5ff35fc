"""Click-guided segmentation of medical image slices: arrays in, arrays out.

The method is that of Sakinis et al., "Interactive segmentation of medical images through fully convolutional neural
networks" (arXiv:1903.08205). Images are int16 Hounsfield units; a slice is [y, x], a volume [z, y, x], spacings are mm.

    clicks → guidance ┐
    intensity, grid ──┼→ inputs → networks → predictor → interaction ┬→ training
                      ┘                                              └→ evaluation
"""
