"""The TFSWA-UNet family: a U-Net over complex spectrograms with attention at its bottleneck."""
