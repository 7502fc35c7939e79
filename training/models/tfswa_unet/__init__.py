"""The TFSWA-UNet family: a U-Net over complex spectrograms with three attentions at its bottleneck."""
